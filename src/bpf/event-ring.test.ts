import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SimulatedEventRing, type TakenPlace } from '../../test/support/simulated-event-ring.ts'
import { EventRing, eventRingBytes, eventRingRecords, threadMask } from './event-ring.ts'

const records = 8

/** Reads everything up to now: what the first word of each record holds. */
function readAll(ring: EventRing): number[] {
  const seen: number[] = []
  ring.snapshot()
  for (let at = ring.next(); at !== -1; at = ring.next()) seen.push(ring.words[at]!)
  ring.release()
  return seen
}

function write(ring: SimulatedEventRing, value: number, thread = 1): boolean {
  const place = ring.take()
  place?.set(0, value)
  place?.submit(thread)
  return place !== undefined
}

describe('EventRing', () => {
  test('an empty one has nothing', () => {
    const ring = new EventRing(new SimulatedEventRing(records).memory)
    expect(readAll(ring)).toEqual([])
    expect(ring.pending).toBe(false)
  })

  test('a full one takes no more, until it is read', () => {
    const writer = new SimulatedEventRing(records)
    const ring = new EventRing(writer.memory)
    for (let value = 0; value < records; value++) expect(write(writer, value)).toBe(true)
    expect(write(writer, 99)).toBe(false)
    expect(readAll(ring)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(write(writer, 99)).toBe(true)
    expect(readAll(ring)).toEqual([99])
  })

  test('what is being written is waited for, and so is what comes after it', () => {
    const writer = new SimulatedEventRing(records)
    const ring = new EventRing(writer.memory)
    write(writer, 1)
    const slow = writer.take()!
    write(writer, 3)
    expect(readAll(ring)).toEqual([1])
    expect(ring.pending).toBe(true)
    slow.set(0, 2)
    slow.submit(1)
    expect(readAll(ring)).toEqual([2, 3])
    expect(ring.pending).toBe(false)
  })

  test('the largest thread id does not disturb the number of the round', () => {
    const writer = new SimulatedEventRing(records)
    const ring = new EventRing(writer.memory)
    for (let value = 0; value < 3 * records; value++) {
      write(writer, value, threadMask)
      expect(readAll(ring)).toEqual([value])
    }
  })

  test('sizes: a power of two of records, in whole pages behind the first one', () => {
    expect(eventRingRecords(4096)).toBe(128)
    expect(eventRingRecords(16 << 20)).toBe(1 << 19)
    expect(eventRingBytes(128)).toBe(8192)
    expect(eventRingBytes(1 << 19)).toBe(4096 + (12 << 20))
  })

  test('however writers and the reader take turns, each record is read once, in its order, and when it is complete', () => {
    const step = fc.oneof(
      fc.constant('take' as const),
      fc.constant('read' as const),
      fc.nat(5).map((which) => ({ submit: which })),
    )
    // Rounds are counted up to 1,023: some runs begin right before, and where a number of records needs more than 32 bits.
    const before = fc.constantFrom(0, 3, 1023 * records - 2, 2 ** 32 - 3, 2 ** 33 + 5)
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), before, (steps, begun) => {
        const writer = new SimulatedEventRing(records, begun)
        const ring = new EventRing(writer.memory)
        const writing: { place: TakenPlace; value: number }[] = []
        const seen: number[] = []
        let taken = 0
        const submit = ({ place, value }: (typeof writing)[number]) => {
          place.set(0, value)
          place.submit(7)
        }
        for (const what of steps) {
          if (what === 'take') {
            const place = writer.take()
            if (place !== undefined) writing.push({ place, value: taken++ })
          } else if (what === 'read') {
            seen.push(...readAll(ring))
            const oldest = writing[0]?.value ?? taken
            expect(seen.length).toBe(oldest)
          } else if (what.submit < writing.length) {
            submit(writing.splice(what.submit, 1)[0]!)
          }
        }
        for (const left of writing) submit(left)
        seen.push(...readAll(ring))
        expect(seen).toEqual(Array.from({ length: taken }, (_, index) => index))
        expect(writer.consumed).toBe(begun + taken)
      }),
    )
  })
})
