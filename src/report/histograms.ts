import { bucketCount, bucketMiddle, bucketOf, bucketStart } from './duration-buckets.ts'

const blockBits = 5
const blockSize = 1 << blockBits
const blocksPerRow = bucketCount >> blockBits

export interface Power {
  /** Durations from this, in nanoseconds: 0 or a power of two. */
  readonly fromNs: number
  /** … to below this. */
  readonly toNs: number
  readonly count: number
}

/**
 * One histogram of durations per row, all in one array: counters come in blocks of 32 neighbours that are allotted
 * when first needed, since durations of one function keep to a few powers of two. Memory follows from the number of
 * rows and the spread of their durations, never from the number of calls.
 */
export class Histograms {
  /** Where a block of a row starts in `#counts`; 0: not allotted. */
  #blocks = new Int32Array(64 * blocksPerRow)
  #counts = new Float64Array(64 * blockSize)
  #used = blockSize

  /** @param ns whole nanoseconds, not negative @param count of calls that took so long */
  add(row: number, ns: number, count = 1): void {
    const bucket = bucketOf(ns)
    const slot = row * blocksPerRow + (bucket >> blockBits)
    let block = slot < this.#blocks.length ? this.#blocks[slot]! : 0
    if (block === 0) block = this.#allot(slot)
    this.#counts[block + (bucket & (blockSize - 1))]! += count
  }

  /**
   * The shortest duration such that this share of the row's calls is not longer (nearest rank), within 0.8 %: the
   * middle of its bucket. 0 for a row without calls.
   * @param permilles shares in thousandths, rising
   */
  quantiles(row: number, permilles: readonly number[]): number[] {
    const counts = this.#buckets(row)
    const total = counts.reduce((sum, { count }) => sum + count, 0)
    let index = 0
    let seen = 0
    return permilles.map((permille) => {
      const rank = Math.max(1, Math.ceil((permille * total) / 1000))
      while (index < counts.length && seen + counts[index]!.count < rank) seen += counts[index++]!.count
      const found = counts[index]
      return found === undefined ? 0 : bucketMiddle(found.bucket)
    })
  }

  /** The row's calls by powers of two of their duration, from the shortest to the longest, gaps included. */
  powersOfTwo(row: number): Power[] {
    const powers: Power[] = []
    for (const { bucket, count } of this.#buckets(row)) {
      const exponent = Math.floor(Math.log2(Math.max(1, bucketStart(bucket))))
      const fromNs = bucket === 0 ? 0 : 2 ** exponent
      let last = powers.at(-1)
      while (last !== undefined && last.fromNs < fromNs) {
        last = { fromNs: last.toNs, toNs: 2 * last.toNs, count: 0 }
        powers.push(last)
      }
      if (last === undefined) powers.push({ fromNs, toNs: Math.max(1, 2 * fromNs), count })
      else powers[powers.length - 1] = { ...last, count: last.count + count }
    }
    return powers
  }

  #buckets(row: number): { readonly bucket: number; readonly count: number }[] {
    const found: { bucket: number; count: number }[] = []
    for (let block = 0; block < blocksPerRow; block++) {
      const start = this.#blocks[row * blocksPerRow + block] ?? 0
      if (start === 0) continue
      for (let index = 0; index < blockSize; index++) {
        const count = this.#counts[start + index]!
        if (count > 0) found.push({ bucket: block * blockSize + index, count })
      }
    }
    return found
  }

  #allot(slot: number): number {
    if (slot >= this.#blocks.length) {
      const rows = Math.floor(slot / blocksPerRow) + 1
      const grown = new Int32Array(Math.max(2 * this.#blocks.length, rows * blocksPerRow))
      grown.set(this.#blocks)
      this.#blocks = grown
    }
    if (this.#used === this.#counts.length) {
      const grown = new Float64Array(2 * this.#used)
      grown.set(this.#counts)
      this.#counts = grown
    }
    const block = this.#used
    this.#used += blockSize
    this.#blocks[slot] = block
    return block
  }
}
