import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SimulatedEventRing, type TakenPlace } from '../../test/support/simulated-event-ring.ts'
import type { EventConsumer } from '../base/event.ts'
import { EventRing } from './event-ring.ts'
import { kindShift } from './layout.ts'
import { EventMerger } from './merge.ts'

interface Event {
  readonly time: number
  readonly stack: number
  readonly tid: number
  readonly kind: number
  readonly functionId: number
  readonly cpu: number
}

const ringRecords = 128
/** The lower half of a time overflows soon after this. */
const baseNs = 7n * 2n ** 32n - 50n

/** CPUs, their rings, one clock, and threads that write events as bpf/utrace.bpf.c does. */
class Machine {
  readonly rings: readonly SimulatedEventRing[]
  readonly merger: EventMerger
  readonly made: Event[] = []
  readonly delivered: Event[] = []
  refused = 0
  clock = 0
  readonly #writing = new Map<number, { record: TakenPlace; cpu: number }>()
  readonly #consumer: EventConsumer = {
    event: (time, stack, tid, kind, functionId, cpu) =>
      this.delivered.push({ time, stack, tid, kind, functionId, cpu }),
  }

  constructor(cpus: number) {
    this.rings = Array.from({ length: cpus }, () => new SimulatedEventRing(ringRecords, 2 ** 33 + 63))
    this.merger = new EventMerger(
      this.rings.map(({ memory }, cpu) => ({ cpu, ring: new EventRing(memory) })),
      baseNs,
    )
  }

  get busy(): boolean {
    return this.#writing.size > 0
  }

  /** The first half of an event: a place in the ring, before the clock is read. */
  reserve(tid: number, cpu: number): void {
    if (this.#writing.has(tid)) return
    const record = this.rings[cpu]!.take()
    if (record === undefined) this.refused++
    else this.#writing.set(tid, { record, cpu })
  }

  /** The second half, on whatever CPU the thread is by now. */
  finish(tid: number): void {
    const writing = this.#writing.get(tid)
    if (writing === undefined) return
    this.#writing.delete(tid)
    const { record, cpu } = writing
    const number = this.made.length
    this.clock++
    const event = {
      time: this.clock,
      stack: 2 ** 46 + 8 * number,
      tid,
      kind: number % 6,
      functionId: number * 1001,
      cpu,
    }
    const time = baseNs + BigInt(event.time)
    const words = [Number(time & 0xffff_ffffn), Number(time >> 32n), event.stack % 2 ** 32]
    words.push(Math.floor(event.stack / 2 ** 32))
    words.forEach((word, index) => {
      record.set(index, word)
    })
    record.set(5, event.kind * 2 ** kindShift + event.functionId)
    record.submit(tid)
    this.made.push(event)
  }

  emit(tid: number, cpu: number): void {
    this.reserve(tid, cpu)
    this.finish(tid)
  }

  drain(most?: number): number {
    this.clock++
    return this.merger.drain(baseNs + BigInt(this.clock), this.#consumer, most)
  }

  drainAll(): void {
    while (this.drain() > 0);
  }
}

const times = (events: readonly Event[]) => events.map(({ time }) => time)

describe('EventMerger', () => {
  test('hands on the events of several CPUs in the order of their time, fields intact', () => {
    const machine = new Machine(3)
    for (let index = 0; index < 300; index++) machine.emit(1 + (index % 2), (index * 7) % 3)
    expect(machine.drain()).toBe(300)
    expect(machine.delivered).toEqual(machine.made)
    expect(machine.drain()).toBe(0)
  })

  test('keeps what is younger than the horizon for the next time', () => {
    const machine = new Machine(2)
    machine.emit(1, 0)
    machine.emit(2, 1)
    const late = machine.clock
    machine.emit(1, 1)
    expect(machine.merger.drain(baseNs + BigInt(late), { event: () => {} })).toBe(2)
    machine.drainAll()
    expect(machine.delivered).toEqual(machine.made.slice(2))
  })

  test('events from before the base have negative times', () => {
    const machine = new Machine(1)
    machine.clock = -40
    machine.emit(1, 0)
    machine.clock = 40
    machine.emit(1, 0)
    machine.drain()
    expect(times(machine.delivered)).toEqual([-39, 41])
  })

  test('puts records right whose clock was read later than the next one’s', () => {
    const machine = new Machine(1)
    machine.emit(1, 0)
    machine.reserve(2, 0)
    for (let index = 0; index < 5; index++) machine.emit(1, 0)
    machine.finish(2)
    machine.emit(1, 0)
    machine.drain()
    expect(machine.delivered).toEqual(machine.made)
  })

  test('waits on all CPUs for a record that is still being written', () => {
    const machine = new Machine(2)
    machine.emit(1, 0)
    machine.reserve(2, 1)
    machine.emit(3, 0)
    expect(machine.drain()).toBe(0)
    machine.finish(2)
    machine.drain()
    expect(machine.delivered).toEqual(machine.made)
  })

  test('a CPU that is far ahead of a stuck one loses nothing', () => {
    const machine = new Machine(2)
    machine.reserve(1, 1)
    for (let batch = 0; batch < 10; batch++) {
      for (let index = 0; index < 100; index++) machine.emit(2, 0)
      expect(machine.drain()).toBe(0)
    }
    expect(machine.refused).toBe(0)
    machine.finish(1)
    machine.drainAll()
    expect(machine.delivered).toEqual(machine.made)
  })

  test('a queue that grows between two records in the wrong order', () => {
    const machine = new Machine(2)
    const queueRecords = 2 * ringRecords
    machine.reserve(1, 1)
    for (let index = 0; index < queueRecords - 1; index++) {
      machine.emit(2, 0)
      if (index % 100 === 99) machine.drain()
    }
    machine.drain()
    machine.reserve(3, 0)
    machine.emit(2, 0)
    machine.finish(3)
    machine.finish(1)
    machine.drainAll()
    expect(times(machine.delivered)).toEqual(times(machine.made))
  })

  test('whatever happens between drains: sorted, complete, and each thread in its order', () => {
    const tid = fc.integer({ min: 1, max: 4 })
    const cpu = fc.nat(2)
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ do: fc.constant('emit' as const), tid, cpu }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('reserve' as const), tid, cpu }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('finish' as const), tid, cpu }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('burst' as const, 'drain'), tid, cpu }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('drain some' as const), tid, cpu }) },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100, size: 'max' }), (steps) => {
        const machine = new Machine(3)
        for (const { do: what, tid: thread, cpu: on } of steps) {
          if (what === 'emit') machine.emit(thread, on)
          else if (what === 'reserve') machine.reserve(thread, on)
          else if (what === 'finish') machine.finish(thread)
          else if (what === 'burst' && machine.made.length - machine.delivered.length < 150)
            for (let index = 0; index < 30; index++) machine.emit(thread, on)
          else if (what === 'drain some') {
            // Of so few threads the number serves as another one.
            const [most, before] = [thread * 7, machine.delivered.length]
            const count = machine.drain(most)
            expect(count).toBe(machine.delivered.length - before)
            expect(count).toBeLessThanOrEqual(most)
            if (!machine.busy && count < most) expect(machine.delivered).toHaveLength(machine.made.length)
          } else if (what === 'drain') {
            const now = machine.clock + 1
            machine.drain()
            expect(machine.delivered.every(({ time }) => time <= now)).toBe(true)
            if (!machine.busy) expect(machine.delivered).toHaveLength(machine.made.length)
          }
        }
        for (let thread = 1; thread <= 4; thread++) machine.finish(thread)
        machine.drainAll()
        // Events are made in the order of their time: this is sorted, complete and per thread in order.
        expect(machine.delivered).toEqual(machine.made)
      }),
      { numRuns: 200 },
    )
  })
})
