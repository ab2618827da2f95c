import { expect, it } from 'vitest'
import { waitState, waitStateBits, waitStateWord, waitWords } from './layout.ts'
import { Waits } from './waits.ts'

/** The memory that both sides see, with a thread that waits on the second of two CPUs. */
function waitingThread() {
  const words = new Uint32Array(2 * waitWords)
  const at = waitWords + waitStateWord
  const is = (state: number, number = 5) => (words[at] = (number << waitStateBits) | state)
  is(waitState.asked)
  return { words, at, is, waits: new Waits(words), wait: { cpu: 1, number: 5 } }
}

it('takes what is asked, and answers it', () => {
  const { words, at, waits, wait } = waitingThread()
  expect(waits.take(wait)).toBe(true)
  expect(words[at]).toBe((5 << waitStateBits) | waitState.taken)
  expect(waits.answer(wait)).toBe(true)
  expect(words[at]).toBe((5 << waitStateBits) | waitState.answered)
})

it('sees that a thread has given up', () => {
  const over = 3
  const { words, at, is, waits, wait } = waitingThread()
  is(over)
  expect(waits.take(wait)).toBe(false)
  is(waitState.asked)
  expect(waits.take(wait)).toBe(true)
  is(over)
  expect(waits.answer(wait)).toBe(false)
  expect(words[at]).toBe((5 << waitStateBits) | over)
})

it('does not take one wait for another on the same CPU', () => {
  const { words, at, is, waits, wait } = waitingThread()
  is(waitState.asked, 6)
  expect(waits.take(wait)).toBe(false)
  expect(words[at]).toBe((6 << waitStateBits) | waitState.asked)
  // The numbers come round.
  const last = { cpu: 1, number: 2 ** 30 - 1 }
  words[at] = 0xffff_fffc
  expect(waits.take(last)).toBe(true)
})
