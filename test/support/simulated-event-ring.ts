import { type EventRingMemory, eventRingBytes } from '../../src/bpf/event-ring.ts'

/** A place that was taken and is still being written. */
export interface TakenPlace {
  /** Writes a word of the record, but for the one that says that it is complete. */
  set(index: number, word: number): void
  /** Completes it. */
  submit(thread: number): void
}

const headerBytes = 4096
const consumedAt = 64
const recordBytes = 24
const threadAt = 16

/** The writers' side of a ring (bpf/ring.h). Written apart from the reader that it judges. */
export class SimulatedEventRing {
  readonly memory: EventRingMemory
  readonly #view: DataView

  /** @param records room @param before so many records were written and read before: as after a long life */
  constructor(records: number, before = 0) {
    this.memory = { bytes: new ArrayBuffer(eventRingBytes(records)), records }
    this.#view = new DataView(this.memory.bytes)
    this.#view.setBigUint64(0, BigInt(before), true)
    this.#view.setBigUint64(consumedAt, BigInt(before), true)
    for (let number = Math.max(0, before - records); number < before; number++) this.#complete(number, 0)
  }

  get consumed(): number {
    return Number(this.#view.getBigUint64(consumedAt, true))
  }

  /** @returns undefined where there is no room */
  take(): TakenPlace | undefined {
    const number = Number(this.#view.getBigUint64(0, true))
    if (number - this.consumed >= this.memory.records) return undefined
    this.#view.setBigUint64(0, BigInt(number + 1), true)
    return {
      set: (index, word) => this.#view.setUint32(this.#at(number) + 4 * index, word, true),
      submit: (thread) => this.#complete(number, thread),
    }
  }

  #at(number: number): number {
    return headerBytes + (number % this.memory.records) * recordBytes
  }

  /** The upper 10 bits are the number of the round, counted from 1. */
  #complete(number: number, thread: number): void {
    const round = (Math.floor(number / this.memory.records) + 1) % 1024
    this.#view.setUint32(this.#at(number) + threadAt, (round * 2 ** 22 + thread) >>> 0, true)
  }
}
