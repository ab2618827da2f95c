import { expect, test } from 'vitest'
import { type EventKind, eventKind } from '../base/event.ts'
import { asTraceNs } from '../base/units.ts'
import { FaultedEntries } from './faulted-entries.ts'

/** Function 7 begins at 0x1000; a library function, 8, at 0x2000. */
function replay(events: readonly [stack: number, tid: number, kind: EventKind, value?: number][]): string[] {
  const seen: string[] = []
  const names = Object.fromEntries(Object.entries(eventKind).map(([name, kind]) => [kind, name]))
  const faulted = new FaultedEntries(
    {
      event: (_, stack, tid, kind, functionId) =>
        seen.push(`${tid} ${names[kind]} ${functionId} at ${stack.toString(16)}`),
    },
    (pid, address, returnsIntoProgram) => {
      if (pid !== 1) return undefined
      if (address === 0x1000) return 7
      return address === 0x2000 && returnsIntoProgram ? 8 : undefined
    },
  )
  for (const [index, [stack, tid, kind, value = 0]] of events.entries())
    faulted.event(asTraceNs(index), stack, tid, kind, value, 0)
  return seen
}

const { entry, ret, signal, threadExit, faultAt, fault } = eventKind
const crash = (address: number, stack: number): [number, number, EventKind, number][] => [
  [address, 5, faultAt, 1],
  [stack, 5, fault, 0],
]

test('a fault before an entry probe is an entry', () => {
  expect(replay([[0xf8, 5, entry, 3], ...crash(0x1000, 0xf0), [0, 5, threadExit, 1]])).toEqual([
    '5 entry 3 at f8',
    '5 entry 7 at f0',
    '5 threadExit 1 at 0',
  ])
})

test('any other fault, and one of an unknown process, is none', () => {
  expect(replay([...crash(0x1800, 0xf0), [0x1000, 5, faultAt, 2], [0xf0, 5, fault]])).toEqual([])
})

test('a call of a library counts if it returns into the program', () => {
  expect(replay([...crash(0x2000, 0xf0), [0x2000, 5, faultAt, 1], [0xf0, 5, fault, 1]])).toEqual([
    '5 entry 8 at f0',
  ])
})

test('a mended fault is one call, however often it faults and whatever its handler calls', () => {
  const events = [
    ...crash(0x1000, 0xf0),
    [0, 5, signal],
    [0xa0, 5, entry, 4],
    [0xa0, 5, ret, 4],
    ...crash(0x1000, 0xf0),
    [0xf0, 5, entry, 7],
    [0xf0, 5, ret, 7],
  ] satisfies Parameters<typeof replay>[0]
  expect(replay(events)).toEqual([
    '5 entry 7 at f0',
    '5 signal 0 at 0',
    '5 entry 4 at a0',
    '5 ret 4 at a0',
    '5 ret 7 at f0',
  ])
})

test('a call in the place of one that was left is another call', () => {
  expect(replay([...crash(0x1000, 0xf0), [0xf0, 5, entry, 3], [0xf0, 5, entry, 7]])).toEqual([
    '5 entry 7 at f0',
    '5 entry 3 at f0',
    '5 entry 7 at f0',
  ])
})

test('threads do not mix', () => {
  const events = [
    [0x1000, 5, faultAt, 1],
    [0x1000, 6, faultAt, 1],
    [0xf0, 6, fault],
    [0xf0, 5, entry, 7],
    [0xf0, 6, entry, 7],
  ] satisfies Parameters<typeof replay>[0]
  expect(replay(events)).toEqual(['6 entry 7 at f0', '5 entry 7 at f0'])
})
