import { type EventConsumer, type EventKind, eventKind } from '../base/event.ts'
import type { Pid, RuntimeAddress, TraceNs } from '../base/units.ts'

/** A call that faulted before it came to its entry probe. */
interface BegunCall {
  readonly functionId: number
  readonly stack: number
}

/**
 * The function whose call had begun at an address without having come to its entry probe.
 * @param returnsIntoProgram what a library call has to do to count
 */
export type FunctionBegunAt = (
  pid: Pid,
  address: RuntimeAddress,
  returnsIntoProgram: boolean,
) => number | undefined

/**
 * Turns faults before an entry probe into entries. A probe may sit behind instructions that access memory; a call that
 * faults there has begun all the same, and is the one that matters when a program crashes. If a handler mends the fault,
 * the call goes on to its probe, and its second entry is left out.
 */
export class FaultedEntries implements EventConsumer {
  readonly #next: EventConsumer
  readonly #functionAt: FunctionBegunAt
  /** Where threads have just faulted: the first half of what the kernel tells of a fault. */
  readonly #faultAt = new Map<number, { readonly pid: Pid; readonly address: RuntimeAddress }>()
  /** By thread: a call that was entered by a fault, as long as it may yet come to its probe. */
  readonly #begun = new Map<number, BegunCall>()

  constructor(next: EventConsumer, functionAt: FunctionBegunAt) {
    this.#next = next
    this.#functionAt = functionAt
  }

  event(time: TraceNs, stack: number, tid: number, kind: EventKind, functionId: number, cpu: number): void {
    if (kind === eventKind.faultAt || kind === eventKind.fault)
      this.#fault(time, stack, tid, kind, functionId, cpu)
    else if (this.#begun.size === 0 || !this.#isSecondEntry(stack, tid, kind, functionId))
      this.#next.event(time, stack, tid, kind, functionId, cpu)
  }

  #fault(time: TraceNs, stack: number, tid: number, kind: EventKind, value: number, cpu: number): void {
    if (kind === eventKind.faultAt) {
      this.#faultAt.set(tid, { pid: value as Pid, address: stack as RuntimeAddress })
      return
    }
    const fault = this.#faultAt.get(tid)
    if (fault === undefined) return
    this.#faultAt.delete(tid)
    const functionId = this.#functionAt(fault.pid, fault.address, value === 1)
    if (functionId === undefined) return
    const begun = this.#begun.get(tid)
    // Mended, it came as far as the next access.
    if (begun?.functionId === functionId && begun.stack === stack) return
    this.#begun.set(tid, { functionId, stack })
    this.#next.event(time, stack, tid, eventKind.entry, functionId, cpu)
  }

  /** Whatever else happens at or above the call on its stack proves that it is over. */
  #isSecondEntry(stack: number, tid: number, kind: EventKind, functionId: number): boolean {
    const begun = this.#begun.get(tid)
    if (begun === undefined) return false
    const isOfStack = kind <= eventKind.ret || kind === eventKind.unwound
    if (kind === eventKind.threadExit || (isOfStack && stack >= begun.stack)) this.#begun.delete(tid)
    return kind === eventKind.entry && functionId === begun.functionId && stack === begun.stack
  }
}
