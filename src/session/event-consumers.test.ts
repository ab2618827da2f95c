import { expect, it } from 'vitest'
import { type EventConsumer, type EventKind, eventKind } from '../base/event.ts'
import { asTraceNs } from '../base/units.ts'
import { both, withCallLimit } from './event-consumers.ts'

function see(consumer: EventConsumer, kind: EventKind, functionId: number) {
  consumer.event(asTraceNs(0), 0, 1, kind, functionId, 0)
}

it('tells the first before the second', () => {
  const seen: string[] = []
  const consumer = both({ event: () => seen.push('first') }, { event: () => seen.push('second') })
  see(consumer, eventKind.entry, 0)
  expect(seen).toEqual(['first', 'second'])
})

it('lets no call begin beyond the limit, and open ones end', () => {
  const seen: string[] = []
  let calls = 0
  const counter: EventConsumer = {
    event: (_time, _stack, _tid, kind, functionId) => {
      if (kind === eventKind.entry) calls++
      seen.push(`${kind === eventKind.entry ? 'entry' : 'return'} ${functionId}`)
    },
  }
  const consumer = withCallLimit(
    counter,
    2,
    () => calls,
    () => seen.push('reached'),
  )
  for (const id of [1, 2, 3]) see(consumer, eventKind.entry, id)
  see(consumer, eventKind.return, 2)
  expect(seen).toEqual(['entry 1', 'entry 2', 'reached', 'return 2', 'reached'])
})
