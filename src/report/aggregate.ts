import {
  type Call,
  durationNs,
  type Loss,
  migrations,
  offCpuNs,
  pageFaults,
  rawDurationNs,
  type TracedFunction,
  type TraceSink,
} from '../trace/call.ts'
import { ThreadTable } from '../trace/thread-table.ts'
import { addEnds, type CallEnds, noEnds } from './call-ends.ts'
import { FunctionRows, functionKey } from './function-rows.ts'
import type { Power } from './histograms.ts'
import { OpenCalls } from './open-calls.ts'
import { type Numbers, Statistics } from './statistics.ts'

/** What calls are grouped by. */
export type Grouping = 'function' | 'module' | 'thread' | 'process'

/** What the calls of a row have in common. */
export type Subject =
  | { readonly by: 'function'; readonly name: string; readonly symbol: string; readonly module: string }
  | { readonly by: 'module'; readonly module: string }
  | { readonly by: 'thread'; readonly pid: number; readonly tid: number }
  | { readonly by: 'process'; readonly pid: number }

/** The statistics of all calls of a subject. Calls of every kind of end count in full. */
export interface Summary extends Numbers {
  readonly subject: Subject
  /** Percentiles of the durations: within 0.8 %, and exact below 128 ns. */
  readonly p50Ns: number
  readonly p90Ns: number
  readonly p99Ns: number
  readonly p999Ns: number
  readonly ends: CallEnds
  /** How its durations are spread, over powers of two. */
  powersOfTwo(): readonly Power[]
}

/** A trace in numbers. */
export interface Aggregate {
  readonly by: Grouping
  /** In the order in which the subjects were first seen. */
  readonly summaries: readonly Summary[]
  readonly calls: number
  /** The sum over all threads of the time in which a traced call was open: what percentages are of. */
  readonly totalNs: number
  readonly ends: CallEnds
  /** Events (not calls) that were lost. */
  readonly lostEvents: number
  /** Whether the cost of probes was taken off durations. */
  readonly isCompensated: boolean
  /** Whether some of the time was off CPU, or there were page faults: always false where that was not traced. */
  readonly hasOffCpu: boolean
  /**
   * Numbers are scaled up from calls of which so many stand for one that was drawn; 0 if none of these was. Undefined where
   * all calls are there.
   */
  readonly sampleInterval: number | undefined
}

/** Takes a trace of any length in memory that depends on the number of subjects and threads alone. */
export interface Aggregator extends TraceSink {
  result(): Aggregate
}

const percentiles = [500, 900, 990, 999]

/** @param by what to group by; time of calls that lie within each other counts once per subject and thread */
export function createAggregator(by: Grouping): Aggregator {
  return by === 'function' || by === 'module' ? functionAggregator(by) : threadAggregator(by)
}

function functionAggregator(by: 'function' | 'module'): Aggregator {
  const rows = new FunctionRows(by === 'function' ? functionKey : (fn) => fn.module)
  const subjectOf = ({ name, symbol, module }: TracedFunction): Subject =>
    by === 'function' ? { by, name, symbol, module } : { by, module }
  const aggregation = new Aggregation()
  return {
    begin: (call) => aggregation.threads.of(call.thread).begin(rows.of(call.fn)),
    end: (call) => aggregation.end(call),
    lost: (loss) => aggregation.lost(loss),
    note: () => {},
    result: () => aggregation.result(by, rows.functions.map(subjectOf)),
  }
}

function threadAggregator(by: 'thread' | 'process'): Aggregator {
  const rowOfKey = new Map<string, number>()
  const subjects: Subject[] = []
  const aggregation = new Aggregation()
  function rowOf({ tid, pid }: Call['thread']): number {
    const key = by === 'thread' ? `${pid}/${tid}` : `${pid}`
    const known = rowOfKey.get(key)
    if (known !== undefined) return known
    const row = subjects.push(by === 'thread' ? { by, pid, tid } : { by, pid }) - 1
    rowOfKey.set(key, row)
    return row
  }
  return {
    begin: (call) => {
      const open = aggregation.threads.of(call.thread)
      // Within a call the row is that of its caller. A thread id may be used again, by another process as well.
      open.begin(open.open > 0 ? open.rows[open.open - 1]! : rowOf(call.thread))
    },
    end: (call) => aggregation.end(call),
    lost: (loss) => aggregation.lost(loss),
    note: () => {},
    result: () => aggregation.result(by, subjects),
  }
}

class Aggregation {
  readonly threads = new ThreadTable(
    () => new OpenCalls(),
    (calls) => calls.open === 0,
  )
  readonly #statistics = new Statistics()
  #totalNs = 0
  #lostEvents = 0
  #isCompensated = false
  #hasOffCpu = false
  #sampleInterval: number | undefined

  end(call: Call): void {
    const calls = this.threads.of(call.thread)
    const duration = durationNs(call)
    this.#isCompensated ||= duration !== rawDurationNs(call)
    const isOutermost = calls.end(duration)
    const open = calls.open
    const { weight = 1 } = call
    if (weight !== 1) this.#sampleInterval = Math.max(this.#sampleInterval ?? 0, weight)
    if (weight === 0) return
    if (open === 0) this.#totalNs += duration
    const off = offCpuNs(call)
    const [faults, moves] = [pageFaults(call), migrations(call)]
    this.#hasOffCpu ||= off > 0 || faults > 0
    const selfNs = duration - calls.childrenNs[open]!
    const row = calls.rows[open]!
    this.#statistics.add(row, duration, selfNs, off, isOutermost, call.how, weight)
    if (isOutermost && faults + moves > 0) this.#statistics.addHappened(row, weight * faults, weight * moves)
  }

  lost({ count }: Loss): void {
    this.#lostEvents += count
  }

  result(by: Grouping, subjects: readonly Subject[]): Aggregate {
    const { histograms, ends } = this.#statistics
    const summaries = subjects.map((subject, row): Summary => {
      const numbers = this.#statistics.of(row)
      const { calls, minNs, maxNs } = numbers
      // What is known exactly is better than the middle of its bucket, which may lie beyond all calls.
      const [p50Ns = 0, p90Ns = 0, p99Ns = 0, p999Ns = 0] = histograms
        .quantiles(row, percentiles)
        .map((ns, index) => {
          const rank = Math.ceil((percentiles[index]! * calls) / 1000)
          if (rank === 1 || rank === calls) return rank === 1 ? minNs : maxNs
          return Math.min(Math.max(ns, minNs), maxNs)
        })
      const powersOfTwo = () => histograms.powersOfTwo(row)
      return { subject, ...numbers, p50Ns, p90Ns, p99Ns, p999Ns, ends: ends.of(row), powersOfTwo }
    })
    return {
      by,
      // What of a sample was never drawn is not known to be anything.
      summaries: summaries.filter(({ calls }) => calls > 0),
      calls: summaries.reduce((sum, { calls }) => sum + calls, 0),
      // Of a sample it is what the self times add up to: outermost calls of which nothing is recorded are unknown.
      totalNs:
        this.#sampleInterval === undefined
          ? this.#totalNs
          : summaries.reduce((sum, { selfNs }) => sum + selfNs, 0),
      ends: summaries.reduce((sum, summary) => addEnds(sum, summary.ends), noEnds),
      lostEvents: this.#lostEvents,
      isCompensated: this.#isCompensated,
      hasOffCpu: this.#hasOffCpu,
      sampleInterval: this.#sampleInterval,
    }
  }
}
