import { recordBytes } from './layout.ts'
import { pageBytes, roundToPage } from './pages.ts'

/**
 * The reader's side of the ring into which the BPF program writes the records of one CPU (bpf/ring.h): a counter of the records
 * for which a place was taken, on a cache line of its own one of those that were read, and from the second page on the
 * places. A place that was filled says so in its record, by the number of the round through the ring.
 */
export interface EventRingMemory {
  readonly bytes: ArrayBuffer
  /** How many records there is room for: a power of two. */
  readonly records: number
}

export const eventRingHeaderBytes = pageBytes
const consumedAt = 64
/** Bits of a thread's id: PID_MAX_LIMIT of the kernel. Above it is the number of the round. */
const threadBits = 22
export const threadMask = 2 ** threadBits - 1
const roundMask = 2 ** (32 - threadBits) - 1
const recordWords = recordBytes / 4
const threadWord = 4

/** How many records fit into so many bytes: a power of two. */
export function eventRingRecords(bytes: number): number {
  return 2 ** Math.floor(Math.log2(bytes / recordBytes))
}

/** What a ring takes in memory: whole pages. */
export function eventRingBytes(records: number): number {
  return eventRingHeaderBytes + roundToPage(records * recordBytes)
}

/** The round in which a record is written: what its place says when it is complete. The memory begins with zeros. */
export function roundOf(record: number, records: number): number {
  return (Math.floor(record / records) + 1) & roundMask
}

/** Reads the records of one ring in order. */
export class EventRing {
  /** Everything as words: a record's index is where it begins. */
  readonly words: Uint32Array
  readonly records: number
  readonly #taken: BigUint64Array
  readonly #consumed: BigUint64Array
  readonly #mask: number
  #next: number
  #limit: number
  #round: number

  constructor({ bytes, records }: EventRingMemory) {
    this.words = new Uint32Array(bytes)
    this.records = records
    this.#taken = new BigUint64Array(bytes, 0, 1)
    this.#consumed = new BigUint64Array(bytes, consumedAt, 1)
    this.#mask = records - 1
    this.#next = Number(this.#consumed[0])
    this.#limit = this.#next
    this.#round = roundOf(this.#next, records)
  }

  /** Takes note of how far the writers have come: `next` reads up to here. One 64-bit read per batch. */
  snapshot(): void {
    this.#limit = Number(this.#taken[0])
  }

  /** Whether there is something before the last snapshot that has not been read: after `next`, a record that is being written. */
  get pending(): boolean {
    return this.#next < this.#limit
  }

  /** @returns the index in `words` of the next record, or -1 where there is none or it is still being written. */
  next(): number {
    if (this.#next >= this.#limit) return -1
    const place = this.#next & this.#mask
    const index = eventRingHeaderBytes / 4 + place * recordWords
    // An ordered load: the rest must not be read before this says that it is complete.
    if (Atomics.load(this.words, index + threadWord) >>> threadBits !== this.#round) return -1
    this.#next++
    if (place === this.#mask) this.#round = (this.#round + 1) & roundMask
    return index
  }

  /** Gives the room of everything read so far back to the writers. */
  release(): void {
    this.#consumed[0] = BigInt(this.#next)
  }
}
