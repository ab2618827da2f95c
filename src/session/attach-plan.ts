import { messageOf } from '../base/errors.ts'
import type { Pid } from '../base/units.ts'
import type { Kernel, ProbeGroup, ProbeGroupSite } from '../bpf/kernel.ts'
import type { BpfLink } from '../bpf/link.ts'
import type { FunctionPlan } from '../probe/plan.ts'
import { SystemCallError } from '../sys/libc.ts'
import type { FunctionIds } from './function-ids.ts'
import type { PlannedModule } from './plan-process.ts'

/** Probes that are attached, and the functions that the kernel refused. */
export interface Attachment {
  /** Probes that see entries, and those that see exits only. */
  readonly entryLinks: readonly BpfLink[]
  readonly exitLinks: readonly BpfLink[]
  readonly attached: readonly FunctionPlan[]
  readonly refused: readonly { readonly plan: FunctionPlan; readonly reason: string }[]
}

interface Item extends ProbeGroupSite {
  readonly plan: FunctionPlan
}

/**
 * Attaches the probes of one module to one process. Exits come before entries: a call whose entry is seen must have its
 * exit seen too. A set that the kernel refuses is halved until the culprits are known by name.
 */
export function attachPlan(
  kernel: Kernel,
  { module, plan }: PlannedModule,
  ids: FunctionIds,
  pid: Pid,
): Attachment {
  const entryLinks: BpfLink[] = []
  const exitLinks: BpfLink[] = []
  const refused = new Map<FunctionPlan, string>()

  const attach = (kind: ProbeGroup['kind'], part: ProbeGroup['part'], items: readonly Item[]) => {
    const sites = items.filter((item) => !refused.has(item.plan))
    if (sites.length === 0) return
    try {
      const links = kernel.attach({ kind, part, path: module.filePath, pid, sites })
      entryLinks.push(...links.entryLinks)
      exitLinks.push(...links.exitLinks)
    } catch (error) {
      if (!isRefusal(error)) throw error
      if (sites.length === 1) {
        refused.set(sites[0]!.plan, `the kernel refuses its probe: ${messageOf(error)}`)
        return
      }
      const middle = sites.length >> 1
      attach(kind, part, sites.slice(0, middle))
      attach(kind, part, sites.slice(middle))
    }
  }

  const exits: Item[] = []
  const entries: Record<ProbeGroup['kind'], Record<'session' | 'entry', Item[]>> = {
    call: { session: [], entry: [] },
    'library call': { session: [], entry: [] },
  }
  for (const function_ of plan.functions) {
    const functionId = ids.idOf(module, function_)
    const { entry, exit } = function_
    if (exit.kind === 'ret') {
      for (const { fileOffset, condition } of exit.sites) {
        exits.push({ plan: function_, offset: fileOffset, functionId, condition })
      }
    }
    const kind = function_.kind === 'library-call' ? 'library call' : 'call'
    entries[kind][exit.kind === 'return' ? 'session' : 'entry'].push({
      plan: function_,
      offset: entry.fileOffset,
      functionId,
    })
  }
  attach('call', 'ret', exits)
  for (const kind of ['call', 'library call'] as const) {
    attach(kind, 'session', entries[kind].session)
    attach(kind, 'entry', entries[kind].entry)
  }
  return {
    entryLinks,
    exitLinks,
    attached: plan.functions.filter((function_) => !refused.has(function_)),
    refused: [...refused].map(([refusedPlan, reason]) => ({ plan: refusedPlan, reason })),
  }
}

/** Errors that are about the instructions, not about the process or the permission to trace. */
function isRefusal(error: unknown): boolean {
  return (
    error instanceof SystemCallError && !['EPERM', 'EACCES', 'ESRCH', 'ENOMEM', 'EMFILE'].includes(error.code)
  )
}
