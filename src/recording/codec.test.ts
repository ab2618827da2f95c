import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type EventKind, eventKind } from '../base/event.ts'
import { asTraceNs } from '../base/units.ts'
import { EventDecoder, readAheadBytes } from './event-decoder.ts'
import { EventEncoder } from './event-encoder.ts'

type Event = [time: number, stack: number, tid: number, kind: number, functionId: number, cpu: number]

/** Events as no program makes them: any order, any stack. */
const anyEvents = fc.array(
  fc.tuple(
    fc.oneof(fc.nat(5000), fc.maxSafeNat()),
    fc.oneof(fc.nat(300), fc.maxSafeNat(), fc.constant(2 ** 63)),
    fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 60 }), fc.nat(2 ** 32 - 1)),
    fc.constantFrom(0, 0, 0, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 10),
    fc.oneof(fc.nat(3), fc.nat(9999)),
    fc.oneof(fc.constant(0), fc.nat(255)),
  ),
)

function roundTrip(events: readonly Event[]): Event[] {
  const encoder = new EventEncoder(1 << 20, (tid) => tid % 7)
  for (const [time, stack, tid, kind, functionId, cpu] of events) {
    encoder.event(asTraceNs(time), stack, tid, kind as EventKind, functionId, cpu)
  }
  const { payload, count } = encoder
  const padded = new Uint8Array(payload.length + readAheadBytes).fill(0xff)
  padded.set(payload)
  const decoded: Event[] = []
  const pids = new Map<number, number>()
  const decoder = new EventDecoder(10_000, (tid, pid) => pids.set(tid, pid))
  decoder.decode(padded, payload.length, count, {
    event: (...event) => {
      if (event[3] <= eventKind.ret && event[2] !== 0) expect(pids.get(event[2])).toBe(event[2] % 7)
      decoded.push(event)
    },
  })
  return decoded
}

it('decodes what was encoded, whatever the events are', () => {
  fc.assert(
    fc.property(anyEvents, (events) => {
      expect(roundTrip(events as Event[])).toEqual(events)
    }),
  )
})

it('takes two bytes for an event that comes as expected', () => {
  const encoder = new EventEncoder(1 << 20, () => 1)
  for (let call = 0; call < 1000; call++) {
    encoder.event(asTraceNs(call * 2000), 4096, 1, eventKind.entry, 7, 0)
    encoder.event(asTraceNs(call * 2000 + 1000), 4096, 1, eventKind.ret, 7, 0)
  }
  expect(encoder.payload.length).toBeLessThan(4 * 1000 + 50)
})

it('refuses or survives any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 8, maxLength: 200 }), fc.nat(300), (bytes, count) => {
      const padded = new Uint8Array(bytes.length + readAheadBytes).fill(0xff)
      padded.set(bytes)
      let seen = 0
      const decoder = new EventDecoder(10, () => {})
      try {
        decoder.decode(padded, bytes.length, count, {
          event: (_time, _stack, _tid, kind, functionId) => {
            seen++
            if (kind <= eventKind.ret) expect(functionId).toBeLessThan(10)
          },
        })
        expect(seen).toBe(count)
      } catch (error) {
        expect((error as Error).name).toBe('EventCodeError')
      }
    }),
    { numRuns: 2000 },
  )
})
