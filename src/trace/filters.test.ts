import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  deliver,
  functionTable,
  randomTrace,
  recordingSink,
  type TraceEvent,
} from '../../test/support/random-trace.ts'
import { asDurationNs, asPid } from '../base/units.ts'
import { type Call, durationNs } from './call.ts'
import { withMaxDepth, withThreadFilter, withTimeFilter } from './filters.ts'

const traces = randomTrace(functionTable(['a', 'b', 'c']), 3)

/** A begin says only what is known then: a call's end fields are compared at its end. */
function line(event: TraceEvent): string {
  if (event.type === 'lost') return `lost ${event.count}`
  const { fn, thread, depth, beginNs, beginCpu, endNs, endCpu, how } = event.call
  const begin = `${event.type} ${fn.name} ${thread.tid} ${depth} ${beginNs} ${beginCpu}`
  return event.type === 'begin' ? begin : `${begin} ${endNs} ${endCpu} ${how}`
}

function threadLines(events: readonly TraceEvent[], tid: number): string[] {
  return events.filter((event) => event.type !== 'lost' && event.call.thread.tid === tid).map(line)
}

/** The events of the calls for which `keep` holds, given each call as it is at its end. */
function keeping(events: readonly TraceEvent[], keep: (call: Call) => boolean): TraceEvent[] {
  const kept = new Set<TraceEvent>()
  const open = new Map<number, TraceEvent[]>()
  for (const event of events) {
    if (event.type === 'lost') continue
    const stack = open.get(event.call.thread.tid) ?? []
    open.set(event.call.thread.tid, stack)
    if (event.type === 'begin') stack.push(event)
    else {
      const begin = stack.pop()!
      if (keep(event.call)) kept.add(begin).add(event)
    }
  }
  return events.filter((event) => event.type === 'lost' || kept.has(event))
}

test('the time filter passes the long calls of each thread, in order, and nothing else', () => {
  fc.assert(
    fc.property(traces, fc.nat(3000), (events, minNs) => {
      const sink = recordingSink()
      deliver(events, withTimeFilter(sink, asDurationNs(minNs)))
      const expected = keeping(events, (call) => durationNs(call) >= minNs)
      for (const tid of [1, 2, 3]) expect(threadLines(sink.events, tid)).toEqual(threadLines(expected, tid))
      expect(sink.events.filter(({ type }) => type === 'lost')).toHaveLength(
        events.filter(({ type }) => type === 'lost').length,
      )
    }),
  )
})

test('ticks of the time filter show calls earlier, and change nothing else', () => {
  fc.assert(
    fc.property(traces, fc.nat(3000), (events, minNs) => {
      const [plain, ticked] = [recordingSink(), recordingSink()]
      deliver(events, withTimeFilter(plain, asDurationNs(minNs)))
      const filter = withTimeFilter(ticked, asDurationNs(minNs))
      deliver(events, {
        ...filter,
        begin: (call) => {
          filter.tick(call.beginNs)
          filter.begin(call)
        },
      })
      for (const tid of [1, 2, 3]) {
        expect(threadLines(ticked.events, tid)).toEqual(threadLines(plain.events, tid))
      }
    }),
  )
})

test('the depth filter passes calls by their depth', () => {
  fc.assert(
    fc.property(traces, fc.integer({ min: 1, max: 5 }), (events, maxDepth) => {
      const sink = recordingSink()
      deliver(events, withMaxDepth(sink, maxDepth))
      expect(sink.events.map(line)).toEqual(keeping(events, ({ depth }) => depth < maxDepth).map(line))
    }),
  )
})

test('the thread filter passes the calls of its threads', () => {
  fc.assert(
    fc.property(traces, (events) => {
      const sink = recordingSink()
      deliver(events, withThreadFilter(sink, new Set([1, 3])))
      expect(sink.events.map(line)).toEqual(keeping(events, ({ thread }) => thread.tid !== 2).map(line))
    }),
  )
})

test('the time filter follows a thread id to the process that has it next', () => {
  const events = fc.sample(traces, { numRuns: 20, seed: 1 })
  const sink = recordingSink()
  const filter = withTimeFilter(sink, asDurationNs(0))
  for (const [index, trace] of events.entries()) {
    const pid = asPid(100 + index)
    const inProcess = trace.map((event) =>
      event.type === 'lost'
        ? event
        : { ...event, call: { ...event.call, thread: { ...event.call.thread, pid } } },
    )
    sink.events.length = 0
    deliver(inProcess, filter)
    for (const event of sink.events) if (event.type !== 'lost') expect(event.call.thread.pid).toBe(pid)
  }
})
