import type { FunctionSums } from '../base/function-sums.ts'

/** Mirrors struct function_statistics of bpf/statistics.h: eight-byte counters. */
const field = {
  begun: 0,
  totalNs: 1,
  nestedNs: 2,
  selfNs: 3,
  maxNs: 4,
  inverseMinNs: 5,
  unwound: 6,
  inferred: 7,
  cut: 8,
  untimed: 9,
  histogram: 10,
} as const
const buckets = 64
const stride = field.histogram + buckets

export const statisticsValueBytes = stride * 8

/** The sums of all functions: memory that the BPF program changes while it is read. */
export class KernelStatistics {
  readonly #words: Uint32Array
  readonly #functions: number
  readonly #cpus: number

  /** @param functions how many there is room for, for each CPU */
  constructor(words: Uint32Array, functions: number, cpus: number) {
    this.#words = words
    this.#functions = functions
    this.#cpus = cpus
  }

  of(functionId: number): FunctionSums {
    const totals = new Array<number>(stride).fill(0)
    let minNs = Number.POSITIVE_INFINITY
    for (let cpu = 0; functionId < this.#functions && cpu < this.#cpus; cpu++) {
      const at = (cpu * this.#functions + functionId) * stride * 2
      const value = (index: number) =>
        this.#words[at + index * 2]! + this.#words[at + index * 2 + 1]! * 2 ** 32
      for (let index = 0; index < stride; index++) {
        if (index === field.maxNs) totals[index] = Math.max(totals[index]!, value(index))
        else if (index !== field.inverseMinNs) totals[index]! += value(index)
      }
      const low = this.#words[at + field.inverseMinNs * 2]!
      const high = this.#words[at + field.inverseMinNs * 2 + 1]!
      if (low !== 0 || high !== 0) minNs = Math.min(minNs, (~high >>> 0) * 2 ** 32 + (~low >>> 0))
    }
    const histogram = totals.slice(field.histogram)
    const ended = histogram.reduce((sum, count) => sum + count, 0)
    const number = (name: keyof typeof field) => totals[field[name]]!
    return {
      begun: number('begun'),
      ended,
      totalNs: number('totalNs'),
      sumNs: number('totalNs') + number('nestedNs'),
      selfNs: number('selfNs'),
      minNs: ended === 0 ? 0 : minNs,
      maxNs: number('maxNs'),
      unwound: number('unwound'),
      inferred: number('inferred'),
      cut: number('cut'),
      untimed: number('untimed'),
      histogram,
    }
  }
}
