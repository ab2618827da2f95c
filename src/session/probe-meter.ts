import { type EventConsumer, type EventKind, eventKind, isCallEvent } from '../base/event.ts'
import type { TraceNs } from '../base/units.ts'

/** What a function's probes have done since they were last asked. */
export interface MeteredFunction {
  readonly id: number
  readonly hits: number
  /** Shortest time from one call to the next of the same thread, nothing traced between, so far; infinite: none yet. */
  readonly shortestPeriodNs: number
  /** No traced call was seen in one of its calls so far. */
  readonly isLeaf: boolean
}

export interface Metered {
  readonly functions: readonly MeteredFunction[]
  /** Threads that have called something. */
  readonly threads: number
  /** From the last event before to the last one of these. */
  readonly spanNs: number
}

/** Counts calls by function as they pass through, and notices how close together they come. */
export class ProbeMeter implements EventConsumer {
  #hits = new Float64Array(256)
  #periods = new Float64Array(256).fill(Number.POSITIVE_INFINITY)
  #callers = new Uint8Array(256)
  readonly #lastEntries = new Map<number, { id: number; timeNs: number; isOpen: boolean }>()
  readonly #threads = new Set<number>()
  #seen = 0
  #lost = 0
  #lastNs = 0
  #takenNs = 0

  event(timeNs: TraceNs, stack: number, tid: number, kind: EventKind, id: number): void {
    if (kind === eventKind.lost) this.#lost += stack
    else if (kind === eventKind.threadExit) this.#lastEntries.delete(tid)
    else if (kind === eventKind.entry) this.#enter(timeNs, tid, id)
    else if (isCallEvent(kind)) {
      const last = this.#lastEntries.get(tid)
      if (last !== undefined) last.isOpen = false
    }
  }

  #enter(timeNs: number, tid: number, id: number): void {
    if (id >= this.#hits.length) this.#grow(id)
    this.#seen++
    this.#lastNs = timeNs
    this.#hits[id]!++
    this.#threads.add(tid)
    const last = this.#lastEntries.get(tid)
    if (last === undefined) {
      this.#lastEntries.set(tid, { id, timeNs, isOpen: true })
      return
    }
    if (last.isOpen) this.#callers[last.id] = 1
    else if (last.id === id) {
      const period = timeNs - last.timeNs
      if (period < this.#periods[id]!) this.#periods[id] = period
    }
    last.id = id
    last.timeNs = timeNs
    last.isOpen = true
  }

  /** What has been called since this was last asked. Calls that were lost count as those that were seen. */
  take(): Metered {
    const scale = this.#seen === 0 ? 1 : 1 + this.#lost / 2 / this.#seen
    const functions: MeteredFunction[] = []
    for (const [id, hits] of this.#hits.entries()) {
      if (hits === 0) continue
      const isLeaf = this.#callers[id] === 0
      functions.push({ id, hits: hits * scale, shortestPeriodNs: this.#periods[id]!, isLeaf })
    }
    this.#hits.fill(0)
    this.#seen = 0
    this.#lost = 0
    const threads = this.#threads.size
    this.#threads.clear()
    const spanNs = this.#lastNs - this.#takenNs
    this.#takenNs = this.#lastNs
    return { functions, threads, spanNs }
  }

  #grow(id: number): void {
    const length = Math.max(id + 1, 2 * this.#hits.length)
    const hits = new Float64Array(length)
    const periods = new Float64Array(length).fill(Number.POSITIVE_INFINITY)
    const callers = new Uint8Array(length)
    hits.set(this.#hits)
    periods.set(this.#periods)
    callers.set(this.#callers)
    this.#hits = hits
    this.#periods = periods
    this.#callers = callers
  }
}
