import { waitState, waitStateBits, waitStateWord, waitWords } from './layout.ts'

/** A wait of a thread: one of those on its CPU. */
export interface Wait {
  readonly cpu: number
  /** From 1. */
  readonly number: number
}

/**
 * Threads that wait on their CPU, for a moment, until their stack is changed. One that waits for too long is stopped
 * instead, with its process: then it is up to whoever was asked to continue it. See bpf/wait.h.
 */
export class Waits {
  readonly #words: Uint32Array

  /** @param words the `waits` map, in memory that the BPF program sees */
  constructor(words: Uint32Array) {
    this.#words = words
  }

  /** The thread is going to get an answer: it waits some milliseconds for it. @returns whether it still waits */
  take(wait: Wait): boolean {
    return this.#move(wait, 'asked', 'taken')
  }

  /** The thread goes on. @returns whether it still waits */
  answer(wait: Wait): boolean {
    return this.#move(wait, 'taken', 'answered')
  }

  #move({ cpu, number }: Wait, from: keyof typeof waitState, to: keyof typeof waitState): boolean {
    const word = cpu * waitWords + waitStateWord
    const state = (which: keyof typeof waitState) => ((number << waitStateBits) | waitState[which]) >>> 0
    return Atomics.compareExchange(this.#words, word, state(from), state(to)) === state(from)
  }
}
