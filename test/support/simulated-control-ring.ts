import type { ControlRingMemory } from '../../src/bpf/control-ring.ts'
import { pageBytes } from '../../src/bpf/pages.ts'

const busyBit = 0x8000_0000
const discardBit = 0x4000_0000
const headerBytes = 8

/** A record that was reserved and is still being written. */
export interface Reserved {
  /** Writes a word of the payload. */
  set(index: number, word: number): void
  submit(): void
  discard(): void
}

/**
 * The kernel's side of a BPF ring buffer (kernel/bpf/ringbuf.c), with the data twice in a row as the kernel maps it.
 * Written apart from the reader that it judges.
 */
export class SimulatedControlRing {
  readonly memory: ControlRingMemory
  readonly #words: DataView
  readonly #consumer: DataView

  /** @param position where consumer and producer begin, in bytes: as after a long life */
  constructor(size: number, position = 0) {
    this.memory = {
      consumer: new ArrayBuffer(pageBytes),
      producer: new ArrayBuffer(pageBytes + 2 * size),
      size,
    }
    this.#words = new DataView(this.memory.producer)
    this.#consumer = new DataView(this.memory.consumer)
    this.#consumer.setBigUint64(0, BigInt(position), true)
    this.#produced = position
  }

  get consumed(): number {
    return Number(this.#consumer.getBigUint64(0, true))
  }

  get produced(): number {
    return this.#produced
  }

  set #produced(position: number) {
    this.#words.setBigUint64(0, BigInt(position), true)
  }

  get #produced(): number {
    return Number(this.#words.getBigUint64(0, true))
  }

  /** @param length bytes of payload @returns undefined where there is no room */
  reserve(length: number): Reserved | undefined {
    const start = this.#produced
    const end = start + Math.ceil((length + headerBytes) / 8) * 8
    // One byte less than all of it, so that full and empty differ.
    if (end - this.consumed > this.memory.size - 1) return undefined
    this.#setWord(start, (length | busyBit) >>> 0)
    this.#produced = end
    return {
      set: (index, word) => this.#setWord(start + headerBytes + 4 * index, word),
      submit: () => this.#setWord(start, length),
      discard: () => this.#setWord(start, (length | discardBit) >>> 0),
    }
  }

  #setWord(position: number, word: number): void {
    const at = position % this.memory.size
    this.#words.setUint32(pageBytes + at, word, true)
    this.#words.setUint32(pageBytes + this.memory.size + at, word, true)
  }
}
