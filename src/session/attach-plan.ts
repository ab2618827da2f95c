import { messageOf } from '../base/errors.ts'
import type { Pid } from '../base/units.ts'
import type { Kernel, ProbedInstruction } from '../bpf/kernel.ts'
import type { BpfLink } from '../bpf/link.ts'
import type { FunctionPlan } from '../probe/plan.ts'
import { SystemCallError } from '../sys/libc.ts'
import { entryProbeOf, type FunctionIds } from './function-ids.ts'
import { type Module, pathThrough } from './modules.ts'
import type { PlannedModule } from './plan-process.ts'

/** Probes that are attached, and the functions that the kernel refused. */
export interface Attachment {
  readonly links: readonly BpfLink[]
  readonly attached: readonly FunctionPlan[]
  readonly refused: readonly { readonly plan: FunctionPlan; readonly reason: string }[]
}

interface Site extends ProbedInstruction {
  readonly plan: FunctionPlan
}

/**
 * Attaches the probes of one module to one process. A set that the kernel refuses is halved until the culprits are known
 * by name.
 */
export function attachPlan(
  kernel: Pick<Kernel, 'attach'>,
  { module, plan }: PlannedModule,
  ids: FunctionIds,
  pid: Pid,
): Attachment {
  const links: BpfLink[] = []
  const refused = new Map<FunctionPlan, string>()

  const attach = (wanted: readonly Site[]) => {
    const sites = wanted.filter((site) => !refused.has(site.plan))
    if (sites.length === 0) return
    try {
      links.push(...kernel.attach({ path: pathThrough(pid, module), pid, sites }))
    } catch (error) {
      if (!isRefusal(error)) throw error
      if (sites.length === 1) {
        refused.set(sites[0]!.plan, `the kernel refuses its probe: ${messageOf(error)}`)
        return
      }
      const middle = sites.length >> 1
      attach(sites.slice(0, middle))
      attach(sites.slice(middle))
    }
  }

  const wanted = plan.functions.filter((function_) => !ids.dropped.has(ids.idOf(module, function_)))
  const exits = wanted.flatMap((function_) => {
    const functionId = ids.idOf(module, function_)
    return exitSites(function_, functionId, ids.areExitsProbed(functionId))
  })
  const entries = wanted.map((function_): Site => {
    const functionId = ids.idOf(module, function_)
    const hooked = function_.exit.kind === 'return' && !ids.areExitsProbed(functionId)
    return {
      plan: function_,
      offset: function_.entry.fileOffset,
      functionId,
      entryProbe: entryProbeOf(function_.entry),
      role: hooked ? 'call' : 'entry',
      isLibraryCall: function_.kind === 'library-call',
      stackDisplacement: function_.entry.stackDisplacement,
    }
  })
  attach([...exits, ...entries])
  return {
    links,
    attached: plan.functions.filter((function_) => !refused.has(function_)),
    refused: [...refused].map(([refusedPlan, reason]) => ({ plan: refusedPlan, reason })),
  }
}

/** Attaches probes to the exits of functions whose returns shall not be hooked any more. */
export function attachExits(
  kernel: Pick<Kernel, 'attach'>,
  module: Module,
  functions: readonly FunctionPlan[],
  ids: FunctionIds,
  pid: Pid,
): BpfLink[] {
  const sites = functions.flatMap((plan) => exitSites(plan, ids.idOf(module, plan), true))
  return sites.length === 0 ? [] : kernel.attach({ path: pathThrough(pid, module), pid, sites })
}

function exitSites(plan: FunctionPlan, functionId: number, withoutHook: boolean): Site[] {
  const exit = withoutHook ? plan.exitWithoutHook : plan.exit
  if (exit.kind !== 'ret') return []
  return exit.sites.map(({ fileOffset, condition, emulated, stackDisplacement }) => ({
    plan,
    offset: fileOffset,
    functionId,
    condition,
    stackDisplacement,
    isJump: emulated,
    role: 'exit',
  }))
}

/** Errors that are about the instructions, not about the process or the permission to trace. */
function isRefusal(error: unknown): boolean {
  return (
    error instanceof SystemCallError && !['EPERM', 'EACCES', 'ESRCH', 'ENOMEM', 'EMFILE'].includes(error.code)
  )
}
