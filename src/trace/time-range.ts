import { asDurationNs, type TraceNs } from '../base/units.ts'
import { type Call, durationNs, offCpuNs, type TraceSink } from './call.ts'
import { copyInto, copyOf, type MutableCall } from './call-copy.ts'
import type { ThreadTotals } from './stacks.ts'
import { ThreadTable } from './thread-table.ts'

/** The first and the last time of a part of a trace: both belong to it. */
export interface TimeRange {
  readonly from: TraceNs
  readonly to: TraceNs
}

/** A sink that passes a part of a trace, and must be told when the trace is over. */
export interface TimeRangeFilter extends TraceSink {
  /** Ends the calls that are still open at the end of the range. */
  finish(): void
}

/**
 * Passes what happened in a range of time, as if tracing had begun and ended there, but for one thing: calls that
 * were open at its start are known. They begin at the start; what is cut off at either side ends as `cut`, for its
 * duration, the part within the range, is a lower bound. Depths stay true.
 *
 * Within a thread the order is that of time. A thread that does nothing within the range appears at the end.
 */
export function withTimeRange(sink: TraceSink, range: TimeRange): TimeRangeFilter {
  const { from, to } = range
  const threads = new ThreadTable(
    () => new OpenCalls(sink, range),
    (calls) => calls.idle,
  )
  return {
    begin: (call) => threads.of(call.thread).begin(call),
    end: (call) => threads.of(call.thread).end(call),
    lost: (loss) => {
      if (loss.timeNs >= from && loss.timeNs <= to) sink.lost(loss)
    },
    note: (note) => {
      if (note.timeNs >= from && note.timeNs <= to) sink.note(note)
    },
    finish: () => {
      // By thread id: the order in which threads appeared depends on where reading began.
      const open = [...threads.all()].filter((calls) => !calls.idle).sort((a, b) => a.tid - b.tid)
      for (const calls of open) calls.finish()
    },
  }
}

/** A call that overlaps the range. */
interface HeldCall extends MutableCall {
  /** How long the calls that it has made took, in all, as far as they lie in the range. */
  childrenNs: number
}

/** The open calls of one thread that overlap the range: copies, because the engine reuses its own. */
class OpenCalls {
  readonly #sink: TraceSink
  readonly #range: TimeRange
  /** Outermost first; kept and overwritten when calls end. */
  readonly #pool: HeldCall[] = []
  #open = 0
  /** The outermost `#shown` of the open calls were passed on. */
  #shown = 0
  /** The outermost `#early` of the open calls began before the range. */
  #early = 0
  /** Open calls that began after the range. */
  #late = 0
  /** What the thread had come to at its first and its last event in the range. */
  readonly #first: Totals = { overheadNs: 0, offCpuNs: 0, pageFaults: 0, migrations: 0 }
  readonly #last: Totals = { overheadNs: 0, offCpuNs: 0, pageFaults: 0, migrations: 0 }
  #sawAny = false

  constructor(sink: TraceSink, range: TimeRange) {
    this.#sink = sink
    this.#range = range
  }

  get idle(): boolean {
    return this.#open === 0 && this.#late === 0
  }

  get tid(): number {
    return this.#pool[0]?.thread.tid ?? 0
  }

  begin(call: Call): void {
    if (call.beginNs > this.#range.to) {
      this.#late++
      return
    }
    const held = this.#pool[this.#open]
    if (held === undefined) this.#pool.push({ ...copyOf(call), childrenNs: 0 })
    else {
      copyInto(held, call)
      held.childrenNs = 0
    }
    this.#open++
    if (call.beginNs >= this.#range.from) {
      this.#saw(call.beginOverheadNs, call.beginOffCpuNs, call.beginPageFaults, call.beginMigrations)
      this.#show()
    } else {
      this.#pool[this.#open - 1]!.beginNs = this.#range.from
      this.#early = this.#open
    }
  }

  end(call: Call): void {
    if (this.#late > 0) {
      this.#late--
      return
    }
    // The thread stays as it was at the end of the range, for `finish`.
    if (call.endNs > this.#range.to) return
    if (call.endNs >= this.#range.from) {
      this.#saw(call.endOverheadNs, call.endOffCpuNs, call.endPageFaults, call.endMigrations)
      this.#show()
    }
    this.#open--
    if (this.#shown <= this.#open) {
      this.#early = Math.min(this.#early, this.#open)
      return
    }
    this.#shown = this.#open
    if (this.#early <= this.#open) {
      this.#addToCaller(durationNs(call))
      this.#sink.end(call)
      return
    }
    this.#early = this.#open
    this.#end(this.#pool[this.#open]!, call.endNs, call.endCpu)
  }

  finish(): void {
    if (this.#open > 0) this.#show()
    while (this.#open > 0) {
      const call = this.#pool[--this.#open]!
      this.#end(call, this.#range.to, call.beginCpu)
    }
    this.#shown = 0
    this.#early = 0
    this.#late = 0
    this.#sawAny = false
    setTotals(this.#first, 0, 0, 0, 0)
    setTotals(this.#last, 0, 0, 0, 0)
  }

  /** Ends the call that was the innermost, at a side of the range or with a beginning before it. */
  #end(call: HeldCall, endNs: TraceNs, endCpu: number): void {
    call.endNs = endNs
    call.endCpu = endCpu
    call.how = 'cut'
    // How much of it lies in the range is not known.
    call.waitedNs = 0
    if (!this.#sawAny || call.beginNs === this.#range.from) {
      call.beginOverheadNs = this.#first.overheadNs
      call.beginOffCpuNs = this.#first.offCpuNs
      call.beginPageFaults = this.#first.pageFaults
      call.beginMigrations = this.#first.migrations
    }
    call.endOverheadNs = this.#last.overheadNs
    call.endOffCpuNs = this.#last.offCpuNs
    call.endPageFaults = this.#last.pageFaults
    call.endMigrations = this.#last.migrations
    const ownNs = endNs - call.beginNs - (call.endOverheadNs - (call.beginOverheadNs ?? 0))
    call.durationNs = asDurationNs(Math.max(ownNs, call.childrenNs, offCpuNs(call), 0))
    this.#addToCaller(call.durationNs)
    this.#sink.end(call)
  }

  #addToCaller(calleeNs: number): void {
    if (this.#open > 0) this.#pool[this.#open - 1]!.childrenNs += calleeNs
  }

  /**
   * What lies before the first event in the range is left out, the same wherever reading began: a call that was cut
   * may be charged for one hit of a probe.
   */
  #saw(overheadNs = 0, offCpuNs = 0, pageFaults = 0, migrations = 0): void {
    if (!this.#sawAny) setTotals(this.#first, overheadNs, offCpuNs, pageFaults, migrations)
    setTotals(this.#last, overheadNs, offCpuNs, pageFaults, migrations)
    this.#sawAny = true
  }

  #show(): void {
    while (this.#shown < this.#open) this.#sink.begin(this.#pool[this.#shown++]!)
  }
}

type Totals = { -readonly [Field in Exclude<keyof ThreadTotals, 'away'>]: number }

function setTotals(
  totals: Totals,
  overheadNs: number,
  offCpuNs: number,
  pageFaults: number,
  migrations: number,
): void {
  totals.overheadNs = overheadNs
  totals.offCpuNs = offCpuNs
  totals.pageFaults = pageFaults
  totals.migrations = migrations
}
