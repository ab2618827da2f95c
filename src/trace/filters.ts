import { asTraceNs, type DurationNs, type Tid, type TraceNs } from '../base/units.ts'
import { type Call, durationNs, type TracedThread, type TraceSink } from './call.ts'
import { copyInto, copyOf, type MutableCall } from './call-copy.ts'
import { ThreadTable } from './thread-table.ts'

/** Passes calls that have fewer than `maxDepth` open calls above them: with 1, outermost calls only. */
export function withMaxDepth(sink: TraceSink, maxDepth: number): TraceSink {
  return {
    begin: (call) => {
      if (call.depth < maxDepth) sink.begin(call)
    },
    end: (call) => {
      if (call.depth < maxDepth) sink.end(call)
    },
    lost: (loss) => sink.lost(loss),
    note: (note) => sink.note(note),
  }
}

/** Passes the calls and notes of the threads in `tids`, and what belongs to no thread. */
export function withThreadFilter(sink: TraceSink, tids: ReadonlySet<number>): TraceSink {
  return withThreads(sink, ({ tid }) => tids.has(tid))
}

/** Passes the calls and notes of the processes in `pids`, and what belongs to no process. */
export function withProcessFilter(sink: TraceSink, pids: ReadonlySet<number>): TraceSink {
  return withThreads(sink, ({ pid }) => pids.has(pid))
}

function withThreads(sink: TraceSink, shows: (thread: TracedThread) => boolean): TraceSink {
  return {
    begin: (call) => {
      if (shows(call.thread)) sink.begin(call)
    },
    end: (call) => {
      if (shows(call.thread)) sink.end(call)
    },
    lost: (loss) => sink.lost(loss),
    note: (note) => {
      if (note.thread === undefined || shows(note.thread)) sink.note(note)
    },
  }
}

/** A sink that may hold calls back until it is told that time has passed. */
export interface TimeFilter extends TraceSink {
  /** Lets calls through that are still open and long enough. Every event up to `seenUntil` was delivered. */
  tick(seenUntil: TraceNs, overheadNsOf?: OverheadOf): void
}

/** What probes have cost a thread, events or not, as far as is known. */
export type OverheadOf = (tid: Tid) => number

/**
 * Passes calls that last at least `minNs`, each with its `begin` and its `end`; shorter ones leave no trace.
 * Depths stay true, and since a caller lasts longer than what it calls, the ancestors of a call that is shown
 * are shown too. A call passes as soon as a later event proves that it is long enough; one that is cut counts
 * with its time so far.
 *
 * Held calls are delivered late with their original times. Within a thread the order stays that of time;
 * across threads it does not.
 */
export function withTimeFilter(sink: TraceSink, minNs: DurationNs): TimeFilter {
  const threads = new ThreadTable(
    () => new HeldCalls(sink, minNs),
    (held) => held.open === 0,
  )
  return {
    begin: (call) => threads.of(call.thread).begin(call),
    end: (call) => threads.of(call.thread).end(call),
    lost: (loss) => sink.lost(loss),
    note: (note) => sink.note(note),
    tick: (seenUntil, overheadNsOf) => {
      for (const held of threads.all()) held.tick(seenUntil, overheadNsOf)
    },
  }
}

/** Probes hit since the last event that was seen cost no more than this: a call that takes so much longer is long enough. */
const latestCostNs = 100_000

/** The open calls of one thread: copies, because the engine reuses its own. */
class HeldCalls {
  readonly #sink: TraceSink
  readonly #minNs: DurationNs
  /** Indexed by nesting, outermost first; kept and overwritten when calls end. */
  readonly #pool: MutableCall[] = []
  open = 0
  /** The outermost `#shown` of the open calls were passed on. */
  #shown = 0
  /** What probes had cost the thread at its last event. */
  #overheadNs = 0

  constructor(sink: TraceSink, minNs: DurationNs) {
    this.#sink = sink
    this.#minNs = minNs
  }

  begin(call: Call): void {
    const held = this.#pool[this.open]
    if (held === undefined) this.#pool.push(copyOf(call))
    else copyInto(held, call)
    this.open += 1
    this.#overheadNs = call.beginOverheadNs ?? 0
    this.#showUntil(call.beginNs)
  }

  end(call: Call): void {
    this.#overheadNs = call.endOverheadNs ?? 0
    // Its duration is what counts, and its callers took longer.
    if (durationNs(call) >= this.#minNs) this.#showTo(this.open)
    else this.#showUntil(call.endNs, this.open - 1)
    const wasShown = this.#shown === this.open
    this.open -= 1
    if (!wasShown) return
    this.#shown = this.open
    this.#sink.end(call)
  }

  tick(seenUntil: TraceNs, overheadNsOf: OverheadOf | undefined): void {
    const [outermost] = this.#pool
    if (this.open === 0 || outermost === undefined) return
    if (overheadNsOf !== undefined)
      this.#overheadNs = Math.max(this.#overheadNs, overheadNsOf(outermost.thread.tid))
    if (this.#overheadNs === 0) this.#showUntil(seenUntil)
    else this.#showUntil(asTraceNs(seenUntil - latestCostNs))
  }

  /** Shows the open calls outside of `depth` that are long enough at a time. */
  #showUntil(now: TraceNs, depth = this.open): void {
    for (let next = this.#shown; next < depth; next++) {
      const { beginNs, beginOverheadNs = 0 } = this.#pool[next]!
      if (now - beginNs - (this.#overheadNs - beginOverheadNs) < this.#minNs) return
      this.#showTo(next + 1)
    }
  }

  #showTo(depth: number): void {
    while (this.#shown < depth) this.#sink.begin(this.#pool[this.#shown++]!)
  }
}
