import { type EventConsumer, type EventKind, eventKind } from '../base/event.ts'
import { asTraceNs, type Pid, type TraceNs } from '../base/units.ts'
import type { HeldThread } from '../bpf/list-held.ts'
import type { HiddenCosts } from './hidden-costs.ts'

/** The pause between two looks: people take that for at once. */
const lookIntervalMs = 100
/** Where there are thousands of threads a look takes long: the pause is so many times as long. */
const pauseShare = 10

/** Where calls are held back until they are long enough. */
export interface HeldCallsSource {
  /** Every event up to then was handed on. */
  readonly seenUntilNs: TraceNs
  listHeldCalls(pid: Pid): HeldThread[]
}

/**
 * With a time filter the kernel reports a call when it is long enough and something happens: its end, or that of a call
 * below it. Until then one that is open is not seen, and people want to see where a program hangs. So it is looked at
 * from here, and its entry is passed on before its time; when the kernel reports it, it is known.
 */
export class HeldCalls implements EventConsumer {
  readonly #next: HiddenCosts
  readonly #source: HeldCallsSource
  readonly #minNs: number
  /** By thread, when the last call began whose entry was passed on before its time. */
  readonly #passedOn = new Map<number, TraceNs>()
  /** By thread, what hits without an event have cost it, when it was looked at last. */
  readonly #hiddenNs = new Map<number, number>()

  #nextLookMs = 0
  #lookedUntilNs = asTraceNs(0)

  /** @param minNs what a call must take */
  constructor(next: HiddenCosts, source: HeldCallsSource, minNs: number) {
    this.#next = next
    this.#source = source
    this.#minNs = minNs
  }

  event(time: TraceNs, stack: number, tid: number, kind: EventKind, functionId: number, cpu: number): void {
    if (this.#passedOn.size > 0) {
      const last = this.#passedOn.get(tid)
      if (last !== undefined && time > last) this.#passedOn.delete(tid)
      else if (last !== undefined && kind === eventKind.entry) return
    }
    this.#next.event(time, stack, tid, kind, functionId, cpu)
  }

  /**
   * Passes the entries of calls on that are open and long enough by now.
   * @param isLast not to be put off
   * @returns up to when everything is known, what is held back and what probes have cost included
   */
  look(pids: Iterable<Pid>, isLast = false): TraceNs {
    const beginMs = performance.now()
    if (beginMs < this.#nextLookMs && !isLast) return this.#lookedUntilNs
    this.#hiddenNs.clear()
    for (const pid of pids) for (const thread of this.#source.listHeldCalls(pid)) this.#passOn(thread)
    this.#lookedUntilNs = this.#source.seenUntilNs
    const endMs = performance.now()
    this.#nextLookMs = endMs + Math.max(lookIntervalMs, pauseShare * (endMs - beginMs))
    return this.#lookedUntilNs
  }

  #passOn({ tid, calls, hiddenNs }: HeldThread): void {
    const { seenUntilNs } = this.#source
    this.#hiddenNs.set(tid, hiddenNs)
    const passedOnUntil = this.#passedOn.get(tid) ?? Number.NEGATIVE_INFINITY
    for (const { beginNs, pointer, functionId, cpu, hiddenNs: hiddenBeforeNs } of calls) {
      if (beginNs <= passedOnUntil) continue
      if (seenUntilNs - beginNs - (hiddenNs - hiddenBeforeNs) < this.#minNs) return
      this.#next.event(beginNs, hiddenBeforeNs, tid, eventKind.hidden, 0, cpu)
      this.#next.event(beginNs, pointer, tid, eventKind.entry, functionId, cpu)
      this.#passedOn.set(tid, beginNs)
    }
  }

  /** What hits have cost a thread of which nothing has been said yet. */
  untoldNsOf(tid: number): number {
    const hiddenNs = this.#hiddenNs.get(tid)
    return hiddenNs === undefined ? 0 : Math.max(hiddenNs - this.#next.knownNsOf(tid), 0)
  }
}
