import { messageOf } from '../base/errors.ts'
import type { FileOffset, Pid } from '../base/units.ts'
import type { Kernel, ProbeGroup } from '../bpf/kernel.ts'
import type { BpfLink } from '../bpf/link.ts'
import type { FunctionPlan } from '../probe/plan.ts'
import { SystemCallError } from '../sys/libc.ts'
import type { FunctionIds } from './function-ids.ts'
import type { PlannedModule } from './plan-process.ts'

/** Probes that are attached, and the functions that the kernel refused. */
export interface Attachment {
  readonly links: readonly BpfLink[]
  readonly attached: readonly FunctionPlan[]
  readonly refused: readonly { readonly plan: FunctionPlan; readonly reason: string }[]
}

interface Item {
  readonly plan: FunctionPlan
  readonly offset: FileOffset
  readonly functionId: number
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
  const links: BpfLink[] = []
  const refused = new Map<FunctionPlan, string>()
  const path = module.filePath

  const attach = (kind: ProbeGroup['kind'], part: ProbeGroup['part'], items: readonly Item[]) => {
    const wanted = items.filter((item) => !refused.has(item.plan))
    if (wanted.length === 0) return
    try {
      const offsets = wanted.map(({ offset }) => offset)
      links.push(
        ...kernel.attach({
          kind,
          part,
          path,
          pid,
          offsets,
          functionIds: wanted.map((item) => item.functionId),
        }),
      )
    } catch (error) {
      if (!isRefusal(error)) throw error
      if (wanted.length === 1)
        refused.set(wanted[0]!.plan, `the kernel refuses its probe: ${messageOf(error)}`)
      else {
        const middle = wanted.length >> 1
        attach(kind, part, wanted.slice(0, middle))
        attach(kind, part, wanted.slice(middle))
      }
    }
  }

  const functions = plan.functions.map((function_) => ({
    function_,
    functionId: ids.idOf(module, function_),
  }))
  attach(
    'call',
    'ret',
    functions.flatMap(({ function_, functionId }) =>
      function_.exit.kind === 'ret'
        ? function_.exit.sites.map(({ fileOffset }) => ({ plan: function_, offset: fileOffset, functionId }))
        : [],
    ),
  )
  for (const kind of ['call', 'library call'] as const) {
    for (const part of ['session', 'entry'] as const) {
      const chosen = functions.filter(
        ({ function_ }) =>
          (function_.kind === 'library-call') === (kind === 'library call') &&
          (function_.exit.kind === 'return') === (part === 'session'),
      )
      attach(
        kind,
        part,
        chosen.map(({ function_, functionId }) => ({
          plan: function_,
          offset: function_.entry.fileOffset,
          functionId,
        })),
      )
    }
  }
  return {
    // Detached in this order: entries first, so that no call loses only its exit.
    links: links.reverse(),
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
