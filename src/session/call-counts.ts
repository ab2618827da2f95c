import { type EventConsumer, type EventKind, eventKind } from '../base/event.ts'
import type { TraceNs } from '../base/units.ts'

/** The calls of each function so far. */
export class CallCounts implements EventConsumer {
  #counts = new Float64Array(1024)

  event(_timeNs: TraceNs, _stack: number, _tid: number, kind: EventKind, functionId: number): void {
    if (kind !== eventKind.entry) return
    if (functionId >= this.#counts.length) {
      const grown = new Float64Array(Math.max(functionId + 1, 2 * this.#counts.length))
      grown.set(this.#counts)
      this.#counts = grown
    }
    this.#counts[functionId]!++
  }

  of(functionId: number): number {
    return this.#counts[functionId] ?? 0
  }
}
