import { expect, it } from 'vitest'
import { type BeginOrEnd, callCounts, lostEvents, malformation, parseTrace } from './trace.ts'

const event = (
  type: 'begin' | 'end',
  tsNs: number,
  depth: number,
  symbol: string,
  durationNs?: number,
): BeginOrEnd => ({
  ...{ type, tsNs, pid: 1, tid: 2, cpu: 0, depth, name: symbol, symbol, module: 'm' },
  ...(durationNs === undefined ? {} : { durationNs, rawDurationNs: durationNs, how: 'return' }),
})
const sound = [
  event('begin', 1, 0, 'f'),
  event('begin', 2, 1, 'g'),
  event('end', 5, 1, 'g', 3),
  event('end', 7, 0, 'f', 6),
]

it('finds nothing wrong with a sound trace', () => {
  expect(malformation(sound)).toBeUndefined()
  expect(Object.fromEntries(callCounts(sound))).toEqual({ f: 1, g: 1 })
})

it.each([
  ['a call that never ends', sound.slice(0, 3), /f never end/],
  ['an end without begin', sound.slice(2), /ends g inside undefined/],
  ['crossed ends', [sound[0]!, sound[1]!, event('end', 5, 0, 'f', 4)], /ends f inside g/],
  ['a wrong depth', [event('begin', 1, 1, 'f')], /depth 1, not 0/],
  ['time that runs backwards', [sound[0]!, event('begin', 0, 1, 'g')], /backwards/],
  ['a wrong duration', [sound[0]!, event('end', 100, 0, 'f', 50)], /duration 50 measured, not 99/],
])('finds %s', (_what, lines, message) => {
  expect(malformation(lines)).toMatch(message)
})

it('allows gaps in the depths where a filter hides calls', () => {
  const hidden = [
    event('begin', 1, 0, 'f'),
    event('begin', 2, 2, 'g'),
    event('end', 5, 2, 'g', 4 - 1),
    event('end', 7, 0, 'f', 6),
  ]
  expect(malformation(hidden, 'some')).toBeUndefined()
  expect(malformation(hidden)).toMatch(/depth 2, not 1/)
})

it('sums what was lost, and names a line that is not JSON', () => {
  expect(
    lostEvents(parseTrace('{"type":"lost","tsNs":1,"count":3}\n{"type":"lost","tsNs":2,"count":4}\n')),
  ).toBe(7)
  expect(() => parseTrace('{"type":"note"}\nnonsense\n')).toThrow(/line 2 .*nonsense/)
})
