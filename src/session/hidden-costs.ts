import { type EventConsumer, type EventKind, eventKind } from '../base/event.ts'
import type { TraceNs } from '../base/units.ts'

/**
 * The kernel tells what hits without an event have cost a thread in all; events say by how much that has grown. What is
 * told twice, or was lost once, does no harm this way.
 */
export class HiddenCosts implements EventConsumer {
  readonly #next: EventConsumer
  /** By thread, what was told so far. */
  readonly #known = new Map<number, number>()

  constructor(next: EventConsumer) {
    this.#next = next
  }

  /** What of a thread's costs was told so far. */
  knownNsOf(tid: number): number {
    return this.#known.get(tid) ?? 0
  }

  event(time: TraceNs, stack: number, tid: number, kind: EventKind, functionId: number, cpu: number): void {
    if (kind === eventKind.hidden) {
      // Less than before: another thread has the id now.
      const known = this.knownNsOf(tid)
      const grownNs = stack < known ? stack : stack - known
      this.#known.set(tid, stack)
      if (grownNs > 0) this.#next.event(time, grownNs, tid, kind, functionId, cpu)
      return
    }
    if (kind === eventKind.threadExit) this.#known.delete(tid)
    else if (kind === eventKind.exec) this.#known.delete(stack)
    this.#next.event(time, stack, tid, kind, functionId, cpu)
  }
}
