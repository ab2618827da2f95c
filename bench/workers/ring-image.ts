import { eventKind } from '../../src/base/event.ts'
import {
  type EventRingMemory,
  eventRingBytes,
  eventRingHeaderBytes,
  roundOf,
} from '../../src/bpf/event-ring.ts'
import { kindShift, recordBytes } from '../../src/bpf/layout.ts'

/** What a synthetic trace is about: calls of `functionCount` functions by one thread, up to `maxDepth` deep. */
export interface RingImage {
  readonly memory: EventRingMemory
  /** Makes everything in the ring new again. */
  refill(): void
}

const startNs = 1_000_000_000
const stackTop = 0x7ffd_0000_0000
const frameBytes = 64
const tid = 4242

/**
 * The memory of a ring full of entries and returns, as utrace's BPF program writes them: every call that begins also ends.
 * @param records a power of two
 */
export function makeRingImage(records: number, functionCount: number, maxDepth: number): RingImage {
  const memory = { bytes: new ArrayBuffer(eventRingBytes(records)), records }
  const words = new Uint32Array(memory.bytes)
  const firstWord = eventRingHeaderBytes / 4
  const recordWords = recordBytes / 4
  const random = randomNumbers(12345)
  const open: number[] = []
  let timeNs = startNs
  for (let index = 0; index < records; index++) {
    const mustEnd = records - index <= open.length
    const ends = open.length > 0 && (mustEnd || open.length === maxDepth || random() < 0.5)
    const functionId = ends ? open.pop()! : Math.floor(random() * functionCount)
    const stack = stackTop - open.length * frameBytes
    if (!ends) open.push(functionId)
    timeNs += 200 + Math.floor(random() * 1000)
    const at = firstWord + index * recordWords
    words[at] = timeNs % 2 ** 32
    words[at + 1] = Math.floor(timeNs / 2 ** 32)
    words[at + 2] = stack % 2 ** 32
    words[at + 3] = Math.floor(stack / 2 ** 32)
    words[at + 5] = (((ends ? eventKind.return : eventKind.entry) << kindShift) | functionId) >>> 0
  }
  const taken = new BigUint64Array(memory.bytes, 0, 1)
  return {
    memory,
    refill: () => {
      const threadAndRound = (roundOf(Number(taken[0]), records) * 2 ** 22 + tid) >>> 0
      for (let index = 0; index < records; index++)
        words[firstWord + index * recordWords + 4] = threadAndRound
      taken[0] = taken[0]! + BigInt(records)
    },
  }
}

/** The same numbers in [0, 1) every time (a linear congruential generator, Numerical Recipes). */
function randomNumbers(seed: number): () => number {
  return () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return seed / 2 ** 32
  }
}
