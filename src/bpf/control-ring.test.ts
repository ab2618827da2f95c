import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Reserved, SimulatedControlRing } from '../../test/support/simulated-control-ring.ts'
import { ControlRing, ringRecordBytes } from './control-ring.ts'

const ringBytes = 4096
/** Beyond 32 bits, and in the middle of the ring. */
const farPosition = 2 ** 40 + 2048

function submit(ring: SimulatedControlRing, words: readonly number[]): void {
  const record = ring.reserve(words.length * 4)!
  words.forEach((word, index) => {
    record.set(index, word)
  })
  record.submit()
}

function take(reader: ControlRing, words: number): number[] | undefined {
  const at = reader.next()
  return at === -1 ? undefined : [...reader.words.subarray(at, at + words)]
}

describe('ControlRing', () => {
  test('an empty ring has nothing', () => {
    const reader = new ControlRing(new SimulatedControlRing(ringBytes).memory)
    reader.snapshot()
    expect(reader.pending).toBe(false)
    expect(reader.next()).toBe(-1)
  })

  test('reads up to the snapshot, and no further', () => {
    const ring = new SimulatedControlRing(ringBytes)
    const reader = new ControlRing(ring.memory)
    submit(ring, [1, 2, 3])
    expect(take(reader, 3)).toBeUndefined()
    reader.snapshot()
    submit(ring, [4, 5])
    expect(take(reader, 3)).toEqual([1, 2, 3])
    expect(take(reader, 2)).toBeUndefined()
    reader.snapshot()
    expect(take(reader, 2)).toEqual([4, 5])
    expect(reader.pending).toBe(false)
  })

  test('waits at a record that is still being written, although later ones are complete', () => {
    const ring = new SimulatedControlRing(ringBytes, farPosition)
    const reader = new ControlRing(ring.memory)
    const slow = ring.reserve(4)!
    submit(ring, [2])
    reader.snapshot()
    expect(reader.next()).toBe(-1)
    expect(reader.pending).toBe(true)
    slow.set(0, 1)
    slow.submit()
    expect(take(reader, 1)).toEqual([1])
    expect(take(reader, 1)).toEqual([2])
    expect(reader.pending).toBe(false)
  })

  test('passes over discarded records', () => {
    const ring = new SimulatedControlRing(ringBytes)
    const reader = new ControlRing(ring.memory)
    ring.reserve(100)!.discard()
    submit(ring, [7])
    ring.reserve(12)!.discard()
    reader.snapshot()
    expect(take(reader, 1)).toEqual([7])
    expect(reader.pending).toBe(true)
    expect(reader.next()).toBe(-1)
    expect(reader.pending).toBe(false)
  })

  test('a record across the end of the ring is in one piece', () => {
    const ring = new SimulatedControlRing(ringBytes, farPosition + 2048 - 16)
    const reader = new ControlRing(ring.memory)
    submit(ring, [1, 2, 3, 4, 5, 6])
    reader.snapshot()
    expect(take(reader, 6)).toEqual([1, 2, 3, 4, 5, 6])
  })

  test('gives room back when told, not before', () => {
    const ring = new SimulatedControlRing(ringBytes)
    const reader = new ControlRing(ring.memory)
    submit(ring, [1])
    reader.snapshot()
    reader.next()
    expect(ring.consumed).toBe(0)
    reader.release()
    expect(ring.consumed).toBe(ringRecordBytes(4))
  })

  test('reads every record once, in order, whoever completes them when', () => {
    const action = fc.oneof(
      { weight: 4, arbitrary: fc.record({ do: fc.constant('reserve'), value: fc.nat(300) }) },
      { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('submit', 'discard'), value: fc.nat(9) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('read', 'release'), value: fc.nat(9) }) },
    )
    const position = fc.constantFrom(0, ringBytes - 8, farPosition)
    fc.assert(
      fc.property(fc.array(action, { maxLength: 400, size: 'max' }), position, (actions, start) => {
        const ring = new SimulatedControlRing(ringBytes, start)
        const reader = new ControlRing(ring.memory)
        const open: { id: number; record: Reserved }[] = []
        const made: { id: number; state: 'busy' | 'submitted' | 'discarded' }[] = []
        const read: number[] = []
        const readAll = () => {
          reader.snapshot()
          for (let at = reader.next(); at !== -1; at = reader.next()) {
            expect(reader.words[at + 1]).toBe(reader.words[at]! ^ 0xffff)
            read.push(reader.words[at]!)
          }
          const firstBusy = made.findIndex(({ state }) => state === 'busy')
          const complete = firstBusy === -1 ? made : made.slice(0, firstBusy)
          expect(read).toEqual(complete.filter(({ state }) => state === 'submitted').map(({ id }) => id))
          expect(reader.pending).toBe(firstBusy !== -1)
        }
        for (const { do: what, value } of actions) {
          if (what === 'reserve') {
            const record = ring.reserve(8 + value)
            if (record === undefined) continue
            const id = made.length
            record.set(0, id)
            record.set(1, id ^ 0xffff)
            open.push({ id, record })
            made.push({ id, state: 'busy' })
          } else if (what === 'read') readAll()
          else if (what === 'release') reader.release()
          else {
            const [finished] = open.splice(value % (open.length || 1), 1)
            if (finished === undefined) continue
            if (what === 'submit') finished.record.submit()
            else finished.record.discard()
            made[finished.id]!.state = what === 'submit' ? 'submitted' : 'discarded'
          }
        }
        for (const { id, record } of open) {
          record.submit()
          made[id]!.state = 'submitted'
        }
        readAll()
        reader.release()
        expect(ring.consumed).toBe(ring.produced)
      }),
      { numRuns: 300 },
    )
  })
})
