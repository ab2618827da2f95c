import { expect, test } from 'vitest'
import { countReasons, summaryLine } from './summary.ts'

test('a full summary', () => {
  expect(
    summaryLine({
      calls: 1_234,
      threads: 2,
      lostEvents: 0,
      functionsTraced: 742,
      notTraced: new Map([
        ['not entered by a call', 1],
        ['no room for a probe', 2],
      ]),
      openAtEnd: 2,
    }),
  ).toBe(
    'utrace: 1,234 calls, 2 threads, 0 events lost, 742 functions traced, ' +
      '3 not traced (2 no room for a probe, 1 not entered by a call); 2 calls still open at the end',
  )
})

test('one of each', () => {
  expect(
    summaryLine({
      calls: 1,
      threads: 1,
      lostEvents: 1,
      functionsTraced: 1,
      notTraced: new Map(),
      openAtEnd: 1,
    }),
  ).toBe('utrace: 1 call, 1 thread, 1 event lost, 1 function traced; 1 call still open at the end')
})

test('nothing at all, and very much', () => {
  const none = { calls: 0, threads: 0, lostEvents: 0, functionsTraced: 0, notTraced: new Map(), openAtEnd: 0 }
  expect(summaryLine(none)).toBe('utrace: 0 calls, 0 threads, 0 events lost, 0 functions traced')
  expect(summaryLine({ ...none, calls: 1_234_567_890, lostEvents: 999 })).toBe(
    'utrace: 1,234,567,890 calls, 0 threads, 999 events lost, 0 functions traced',
  )
})

test('reasons are counted', () => {
  const untraced = [{ reason: 'a' }, { reason: 'b' }, { reason: 'a' }]
  expect([...countReasons(untraced)]).toEqual([
    ['a', 2],
    ['b', 1],
  ])
})
