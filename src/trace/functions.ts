import type { EntryProbe } from '../base/entry-probe.ts'
import type { VirtualAddress } from '../base/units.ts'
import type { TracedFunction } from './call.ts'

/** What the reconstruction must know of a function besides its name. */
export interface FunctionRecord {
  readonly fn: TracedFunction
  /** Bytes by which the stack pointer at the entry probe lies below its value at the function's first instruction. */
  readonly entryDisplacement: number
  /** What the kernel does for a probe at its entry: see `ProbeCosts`. */
  readonly entryProbe: EntryProbe
  /**
   * How its returns are seen: hooked in the kernel, at the instructions by which it leaves, at its entry already
   * (nothing of it is left to run), or not at all.
   */
  readonly wayOut: 'return' | 'ret' | 'entry' | 'none'
  /** Whether it can leave by jumping to another function, which then runs in its place on the stack. */
  readonly mayTailCall: boolean
  /** The only functions that it can leave to: addresses in its own module, 0 for any other module. Absent: any. */
  readonly tailTargets?: readonly VirtualAddress[] | undefined
  /** Whether it jumps back to its own first instruction: then its entry is reported at every turn. */
  readonly loopsToEntry?: boolean
}

/** The function records by id. It may grow while tracing, as modules are loaded. */
export type FunctionTable = readonly FunctionRecord[]

/** Whether a function can hand its place on the stack on to another one. */
export function canTailCall(
  { fn, mayTailCall, tailTargets }: FunctionRecord,
  callee: TracedFunction,
): boolean {
  if (!mayTailCall || tailTargets === undefined || callee.address === undefined) return mayTailCall
  return tailTargets.some((target) => target === (callee.module === fn.module ? callee.address : 0))
}
