import { pageBytes } from './pages.ts'

/**
 * The consumer side of a BPF ring buffer, in which the program reports what becomes of processes: memory logic only, no
 * file descriptor.
 * Layout and protocol: Documentation/bpf/ringbuf.rst and kernel/bpf/ringbuf.c. The data pages are mapped twice in a
 * row, so that a record which wraps around the end can be read in one piece.
 */
export interface ControlRingMemory {
  /** The page that holds the consumer position, writable. */
  readonly consumer: ArrayBuffer
  /** The page that holds the producer position, then the data, twice. */
  readonly producer: ArrayBuffer
  /** Bytes of data: a power of two. */
  readonly size: number
}

const headerBytes = 8
const busyBit = 0x8000_0000
const discardBit = 0x4000_0000
const lengthMask = 0x3fff_ffff

/** Bytes that a record of this length takes in a ring. */
export function ringRecordBytes(length: number): number {
  return (length + headerBytes + 7) & ~7
}

/** Reads the records of one ring in order. Positions are bytes since the ring was made. */
export class ControlRing {
  /** The whole mapping as words: a record's index is where its payload begins. */
  readonly words: Uint32Array
  readonly #consumerPosition: BigUint64Array
  readonly #producerPosition: BigUint64Array
  readonly #mask: number
  #position: number
  #limit: number

  constructor(memory: ControlRingMemory) {
    this.words = new Uint32Array(memory.producer)
    this.#consumerPosition = new BigUint64Array(memory.consumer, 0, 1)
    this.#producerPosition = new BigUint64Array(memory.producer, 0, 1)
    this.#mask = memory.size - 1
    this.#position = Number(this.#consumerPosition[0])
    this.#limit = this.#position
  }

  /** Takes note of how far the producers have come: `next` reads up to here. One 64-bit read per batch. */
  snapshot(): void {
    this.#limit = Number(this.#producerPosition[0])
  }

  /** Whether there is something before the last snapshot that has not been read: after `next`, a busy record. */
  get pending(): boolean {
    return this.#position < this.#limit
  }

  /** @returns the index in `words` of the next record's payload, or -1 where there is none or it is still being written. */
  next(): number {
    while (this.#position < this.#limit) {
      const index = (pageBytes + (this.#position & this.#mask)) >>> 2
      // An ordered load: the payload must not be read before the header says that it is complete.
      const header = Atomics.load(this.words, index)
      if (header >= busyBit) return -1
      this.#position += ringRecordBytes(header & lengthMask)
      if ((header & discardBit) === 0) return index + headerBytes / 4
    }
    return -1
  }

  /** Gives the room of everything read so far back to the producers. */
  release(): void {
    this.#consumerPosition[0] = BigInt(this.#position)
  }
}
