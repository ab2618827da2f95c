import { DT_GNU_HASH } from './dynamic.ts'
import type { ElfImage } from './image.ts'
import { wordsAt } from './words.ts'

/**
 * The table by which the dynamic linker looks symbols up (`DT_GNU_HASH`, described in the GNU gABI list's "Gnu Hash ELF
 * Sections"): buckets hold the first symbol of a chain; a chain has a hash for each symbol, the lowest bit of which is set
 * at its last one. It is in the order of the symbols.
 */
export class GnuHashTable {
  readonly #elf: ElfImage
  readonly #buckets: Uint32Array
  readonly #firstSymbol: number
  readonly #chainAt: number

  /** Undefined where a file has none. */
  static of(elf: ElfImage): GnuHashTable | undefined {
    const address = elf.dynamic.get(DT_GNU_HASH)
    if (address === undefined) return undefined
    const [bucketCount, firstSymbol, bloomSize] = wordsAt(elf, address, 4)
    if (!bucketCount || firstSymbol === undefined || bloomSize === undefined) return undefined
    return new GnuHashTable(elf, address + 16 + bloomSize * 8, bucketCount, firstSymbol)
  }

  private constructor(elf: ElfImage, bucketsAt: number, bucketCount: number, firstSymbol: number) {
    this.#elf = elf
    this.#buckets = wordsAt(elf, bucketsAt, bucketCount)
    this.#firstSymbol = firstSymbol
    this.#chainAt = bucketsAt + bucketCount * 4
  }

  /** One more than the index of the last symbol that it holds; 0 if there is none. */
  get symbolCount(): number {
    let last = 0
    for (const bucket of this.#buckets) if (bucket > last) last = bucket
    if (last < this.#firstSymbol || last === 0) return 0
    let end = last
    for (const hash of this.#chainFrom(last)) if ((hash & 1) === 0) end++
    return end + 1
  }

  /** Indices of the symbols whose names have the same hash as this one, up to the lowest bit: in order, and few. */
  candidates(name: string): number[] {
    const wanted = hashOf(name)
    const first = this.#buckets[wanted % this.#buckets.length] ?? 0
    const found: number[] = []
    if (first < this.#firstSymbol || first === 0) return found
    let symbol = first
    for (const hash of this.#chainFrom(first)) {
      if (((hash ^ wanted) & ~1) === 0) found.push(symbol)
      symbol++
    }
    return found
  }

  /** The hashes from a symbol to the end of its chain. */
  *#chainFrom(symbol: number): Generator<number> {
    for (let from = symbol; ; from += hashesPerRead) {
      const hashes = wordsAt(this.#elf, this.#chainAt + (from - this.#firstSymbol) * 4, hashesPerRead)
      for (const hash of hashes) {
        yield hash
        if ((hash & 1) === 1) return
      }
      if (hashes.length < hashesPerRead) return
    }
  }
}

/** More than most chains have. */
const hashesPerRead = 32

/** `dl_new_hash` of glibc's elf/dl-new-hash.h. */
function hashOf(name: string): number {
  let hash = 5381
  for (const byte of Buffer.from(name)) hash = (Math.imul(hash, 33) + byte) >>> 0
  return hash
}
