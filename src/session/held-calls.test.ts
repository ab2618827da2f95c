import { expect, test } from 'vitest'
import { type EventConsumer, type EventKind, eventKind } from '../base/event.ts'
import { asPid, asTid, asTraceNs } from '../base/units.ts'
import type { HeldThread } from '../bpf/list-held.ts'
import { HeldCalls } from './held-calls.ts'
import { HiddenCosts } from './hidden-costs.ts'

const pid = asPid(1)
const tid = asTid(7)

/** What is passed on, as `kind@time function stack`. */
function chain(minNs: number) {
  const seen: string[] = []
  const last: EventConsumer = {
    event: (time, stack, _tid, kind, functionId) =>
      seen.push(`${kindName(kind)}@${time} ${functionId} ${stack}`),
  }
  const source = {
    seenUntilNs: asTraceNs(0),
    threads: [] as HeldThread[],
    listHeldCalls: () => source.threads,
  }
  const costs = new HiddenCosts(last)
  return { seen, source, costs, held: new HeldCalls(costs, source, minNs) }
}

const kindName = (kind: EventKind) => Object.entries(eventKind).find(([, value]) => value === kind)![0]
const call = (beginNs: number, functionId: number, hiddenNs = 0) => ({
  ...{ beginNs: asTraceNs(beginNs), pointer: 1000 - functionId, functionId, hiddenNs, cpu: 0 },
})

test('an open call is passed on when it is long enough, and once only', () => {
  const { seen, source, held } = chain(100)
  source.threads = [{ tid, hiddenNs: 0, calls: [call(10, 1), call(60, 2)] }]
  source.seenUntilNs = asTraceNs(105)
  held.look([pid], true)
  expect(seen).toEqual([])
  source.seenUntilNs = asTraceNs(115)
  held.look([pid], true)
  held.look([pid], true)
  expect(seen).toEqual(['entry@10 1 999'])
  source.seenUntilNs = asTraceNs(160)
  held.look([pid], true)
  expect(seen.splice(0)).toEqual(['entry@10 1 999', 'entry@60 2 998'])
  // The kernel tells it all when the inner one ends.
  held.event(asTraceNs(10), 999, tid, eventKind.entry, 1, 0)
  held.event(asTraceNs(60), 998, tid, eventKind.entry, 2, 0)
  held.event(asTraceNs(200), 998, tid, eventKind.return, 2, 0)
  held.event(asTraceNs(210), 998, tid, eventKind.entry, 3, 0)
  expect(seen).toEqual(['return@200 2 998', 'entry@210 3 998'])
})

test('is not looked for again at once, unless it is the last time', () => {
  const { seen, source, held } = chain(100)
  source.threads = [{ tid, hiddenNs: 0, calls: [call(10, 1)] }]
  source.seenUntilNs = asTraceNs(50)
  expect(held.look([pid])).toBe(50)
  source.seenUntilNs = asTraceNs(500)
  expect(held.look([pid])).toBe(50)
  expect(seen).toEqual([])
  expect(held.look([pid], true)).toBe(500)
  expect(seen).toEqual(['entry@10 1 999'])
})

test('what probes have cost without an event does not make a call long', () => {
  const { seen, source, held } = chain(100)
  source.threads = [{ tid, hiddenNs: 50, calls: [call(10, 1, 20)] }]
  source.seenUntilNs = asTraceNs(139)
  held.look([pid], true)
  expect(seen).toEqual([])
  expect(held.untoldNsOf(tid)).toBe(50)
  source.seenUntilNs = asTraceNs(140)
  held.look([pid], true)
  expect(seen).toEqual(['hidden@10 0 20', 'entry@10 1 999'])
  expect(held.untoldNsOf(tid)).toBe(30)
  held.event(asTraceNs(10), 20, tid, eventKind.hidden, 0, 0)
  held.event(asTraceNs(10), 999, tid, eventKind.entry, 1, 0)
  held.event(asTraceNs(150), 55, tid, eventKind.hidden, 0, 0)
  expect(seen.slice(2)).toEqual(['hidden@150 0 35'])
})

test('costs are told by how much they have grown, and begin anew with a thread and an image', () => {
  const { seen, costs } = chain(1)
  const hidden = (time: number, total: number) =>
    costs.event(asTraceNs(time), total, tid, eventKind.hidden, 0, 0)
  hidden(1, 10)
  hidden(2, 10)
  hidden(3, 25)
  // The end of the thread was lost: another one has its id.
  hidden(4, 5)
  costs.event(asTraceNs(5), 0, tid, eventKind.threadExit, 0, 0)
  hidden(6, 5)
  costs.event(asTraceNs(7), tid, tid, eventKind.exec, 0, 0)
  hidden(8, 5)
  expect(seen.filter((event) => event.startsWith('hidden'))).toEqual([
    'hidden@1 0 10',
    'hidden@3 0 15',
    'hidden@4 0 5',
    'hidden@6 0 5',
    'hidden@8 0 5',
  ])
})
