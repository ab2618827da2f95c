import type { CallEnd } from '../trace/call.ts'
import { EndCounts } from './call-ends.ts'
import { Histograms } from './histograms.ts'

/** Where a row's numbers are, from its start: eight doubles, one cache line. */
const field = {
  calls: 0,
  totalNs: 1,
  selfNs: 2,
  sumNs: 3,
  squaredDeviations: 4,
  minNs: 5,
  maxNs: 6,
  offCpuNs: 7,
} as const
const stride = 8

export interface Numbers {
  readonly calls: number
  /** Time in which at least one of the calls was open, thread by thread: recursion counts once. */
  readonly totalNs: number
  /** The part of `totalNs` in which threads were off CPU; 0 where that was not traced. */
  readonly offCpuNs: number
  /** What happened in `totalNs`; 0 where that was not traced. */
  readonly pageFaults: number
  readonly migrations: number
  /** Time without what the calls themselves called. */
  readonly selfNs: number
  readonly minNs: number
  readonly maxNs: number
  /** Mean duration of a call. More than `totalNs / calls` where calls lie within each other. */
  readonly avgNs: number
  /** Standard deviation of the durations (of all calls there are, not an estimate from a sample). */
  readonly stddevNs: number
}

/** The statistics of calls, row by row, without an allocation per call. */
export class Statistics {
  #numbers = new Float64Array(64 * stride)
  /** Of each row: page faults, and migrations. Few calls have any. */
  #happened = new Float64Array(64 * 2)
  readonly histograms = new Histograms()
  readonly ends = new EndCounts()

  /**
   * Takes an ended call.
   * @param isOutermost whether no other call of the row is open in its thread
   * @param weight how many calls it stands for, at least 1
   */
  add(
    row: number,
    durationNs: number,
    selfNs: number,
    offCpuNs: number,
    isOutermost: boolean,
    how: CallEnd,
    weight: number,
  ): void {
    const at = row * stride
    if (at >= this.#numbers.length) this.#numbers = grown(this.#numbers, at + stride)
    const numbers = this.#numbers
    const calls = numbers[at + field.calls]! + weight
    const sumNs = numbers[at + field.sumNs]! + weight * durationNs
    numbers[at + field.calls] = calls
    numbers[at + field.sumNs] = sumNs
    numbers[at + field.selfNs]! += weight * selfNs
    if (isOutermost) {
      numbers[at + field.totalNs]! += weight * durationNs
      numbers[at + field.offCpuNs]! += weight * offCpuNs
    }
    if (calls === weight) {
      numbers[at + field.minNs] = durationNs
      numbers[at + field.maxNs] = durationNs
    } else {
      // Youngs and Cramer's updating formula (Technometrics 13, 1971), with weights: exact where a sum of squares would cancel.
      const deviation = calls * durationNs - sumNs
      numbers[at + field.squaredDeviations]! += (weight * deviation * deviation) / (calls * (calls - weight))
      if (durationNs < numbers[at + field.minNs]!) numbers[at + field.minNs] = durationNs
      else if (durationNs > numbers[at + field.maxNs]!) numbers[at + field.maxNs] = durationNs
    }
    this.histograms.add(row, durationNs, weight)
    if (how !== 'return') this.ends.add(row, how)
  }

  /** Takes what has happened in an ended call that is the outermost one of its row. */
  addHappened(row: number, pageFaults: number, migrations: number): void {
    if (2 * row >= this.#happened.length) this.#happened = grown(this.#happened, 2 * (row + 1))
    this.#happened[2 * row]! += pageFaults
    this.#happened[2 * row + 1]! += migrations
  }

  of(row: number): Numbers {
    const numbers = this.#numbers.subarray(row * stride, (row + 1) * stride)
    const calls = numbers[field.calls] ?? 0
    return {
      calls,
      totalNs: numbers[field.totalNs] ?? 0,
      selfNs: numbers[field.selfNs] ?? 0,
      offCpuNs: numbers[field.offCpuNs] ?? 0,
      pageFaults: this.#happened[2 * row] ?? 0,
      migrations: this.#happened[2 * row + 1] ?? 0,
      minNs: numbers[field.minNs] ?? 0,
      maxNs: numbers[field.maxNs] ?? 0,
      avgNs: calls === 0 ? 0 : numbers[field.sumNs]! / calls,
      stddevNs: calls === 0 ? 0 : Math.sqrt(numbers[field.squaredDeviations]! / calls),
    }
  }
}

function grown(numbers: Float64Array, least: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(Math.max(2 * numbers.length, least))
  larger.set(numbers)
  return larger
}
