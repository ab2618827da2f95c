import { eventKind } from '../../src/base/event.ts'
import { kindShift, recordBytes } from '../../src/bpf/layout.ts'
import { pageBytes, type RingMemory, ringRecordBytes } from '../../src/bpf/ring.ts'

/** What a synthetic trace is about: calls of `functionCount` functions by one thread, up to `maxDepth` deep. */
export interface RingImage {
  readonly memory: RingMemory
  readonly records: number
  /** Makes everything in the ring new again. */
  refill(): void
}

const startNs = 1_000_000_000
const stackTop = 0x7ffd_0000_0000
const frameBytes = 64
const tid = 4242

/**
 * The memory of a kernel ring full of entries and returns, as utrace's BPF program writes them: every call that begins
 * also ends. The ring holds a whole number of records, so that none wraps around its end.
 * @param size bytes of data: a power of two
 */
export function makeRingImage(size: number, functionCount: number, maxDepth: number): RingImage {
  const memory = {
    consumer: new ArrayBuffer(pageBytes),
    producer: new ArrayBuffer(pageBytes + 2 * size),
    size,
  }
  const words = new Uint32Array(memory.producer)
  const wordsPerRecord = ringRecordBytes(recordBytes) / 4
  const records = size / 4 / wordsPerRecord
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
    const at = pageBytes / 4 + index * wordsPerRecord
    words[at] = recordBytes
    words[at + 2] = timeNs % 2 ** 32
    words[at + 3] = Math.floor(timeNs / 2 ** 32)
    words[at + 4] = stack % 2 ** 32
    words[at + 5] = Math.floor(stack / 2 ** 32)
    words[at + 6] = tid
    words[at + 7] = (((ends ? eventKind.return : eventKind.entry) << kindShift) | functionId) >>> 0
  }
  const produced = new BigUint64Array(memory.producer, 0, 1)
  return {
    memory,
    records,
    refill: () => {
      produced[0] = produced[0]! + BigInt(size)
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
