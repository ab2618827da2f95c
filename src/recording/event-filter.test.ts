import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { feed, type RawEvent, randomEvents, randomFunctions } from '../../test/support/random-events.ts'
import { eventKind, isTimed } from '../base/event.ts'
import { asDurationNs, asTraceNs } from '../base/units.ts'
import { migrations, offCpuNs, pageFaults, type TraceSink } from '../trace/call.ts'
import { withMaxDepth, withThreadFilter, withTimeFilter } from '../trace/filters.ts'
import type { ProbeCosts } from '../trace/probe-costs.ts'
import { Reconstruction } from '../trace/reconstruct.ts'
import { EventFilter, type RecordedCalls } from './event-filter.ts'

const functions = randomFunctions(12)
const pidOf = (tid: number) => 7 + (tid % 2)
const everything: RecordedCalls = { maxDepth: undefined, minNs: 0, tids: new Set() }

const cost = (beforeNs: number, afterNs: number) => ({ beforeNs, afterNs })
const probeCosts: ProbeCosts = {
  entry: { emulated: cost(3, 2), stepped: cost(9, 4), nop: cost(1, 1) },
  libraryCallNs: 1,
  return: cost(2, 4),
  ret: cost(7, 5),
  jump: cost(1, 2),
}
/** More than a probe costs. */
const pauseNs = 20

/** The calls of a selection that are rebuilt from events, thread by thread: across threads their order is not kept. */
function callsOf(events: readonly RawEvent[], calls: RecordedCalls, endNs: number): Map<number, string[]> {
  const lines = new Map<number, string[]>()
  const sink: TraceSink = {
    begin: ({ thread, fn, depth, beginNs, isInherited, weight }) =>
      lines.set(thread.tid, [
        ...(lines.get(thread.tid) ?? []),
        `${beginNs} ${thread.pid} ${depth} ${fn.name} ${isInherited} × ${weight}`,
      ]),
    end: (call) => {
      const { thread, fn, depth, beginNs, endNs: end, how, durationNs } = call
      const counts = `${offCpuNs(call)} ${pageFaults(call)} ${migrations(call)}`
      lines.get(thread.tid)!.push(`${beginNs}-${end} ${depth} ${fn.name} ${how} ${durationNs} ${counts}`)
    },
    lost: ({ timeNs, count }) => lines.set(0, [...(lines.get(0) ?? []), `${timeNs} lost ${count}`]),
    note: () => {},
  }
  let filtered = sink
  if (calls.maxDepth !== undefined) filtered = withMaxDepth(filtered, calls.maxDepth)
  if (calls.tids.size > 0) filtered = withThreadFilter(filtered, calls.tids)
  if (calls.minNs > 0) filtered = withTimeFilter(filtered, asDurationNs(calls.minNs))
  const engine = new Reconstruction(functions, filtered, pidOf, { probeCosts })
  feed(events, engine)
  engine.finish(asTraceNs(endNs))
  return lines
}

function passed(events: readonly RawEvent[], calls: RecordedCalls, endNs: number): RawEvent[] {
  const out: RawEvent[] = []
  const trace = { functions, pidOf, describeState: () => {} }
  const filter = new EventFilter(calls, trace, probeCosts, () => ({
    event: (time, stack, tid, kind, functionId, cpu) => out.push({ time, stack, tid, kind, functionId, cpu }),
  }))
  feed(events, filter)
  filter.finish(asTraceNs(endNs))
  return out
}

const selections: Readonly<Record<string, RecordedCalls>> = {
  'the outermost calls': { ...everything, maxDepth: 1 },
  'calls down to a depth': { ...everything, maxDepth: 3 },
  'long calls': { ...everything, minNs: 20_000 },
  'one thread': { ...everything, tids: new Set([101]) },
  'long calls of two threads that are not deep': { maxDepth: 2, minNs: 3000, tids: new Set([100, 102]) },
}

describe('what passes', () => {
  it.each(Object.entries(selections))('tells of %s what everything tells', (_, calls) => {
    fc.assert(
      fc.property(randomEvents(functions), (dense) => {
        const events = dense.map((event, index) => ({ ...event, time: event.time + index * pauseNs }))
        const endNs = (events.at(-1)?.time ?? 0) + 10
        const recorded = passed(events, calls, endNs)
        const added = recorded.filter(({ kind }) => !isTimed(kind))
        expect(recorded.length - added.length).toBeLessThanOrEqual(events.length)
        // Two for each event at most, and two for each thread at its end.
        expect(added.length).toBeLessThanOrEqual(2 * (recorded.length - added.length + 8))
        expect(callsOf(recorded, calls, endNs)).toEqual(callsOf(events, calls, endNs))
      }),
      { numRuns: 200 },
    )
  })

  it('is all where nothing is left out, and little where much is', () => {
    const at = (time: number, kind: RawEvent['kind'], functionId: number, stack: number): RawEvent => {
      return { time, kind, functionId, stack, tid: 100, cpu: 0 }
    }
    // f6 is left by a return that is seen, and calls itself four levels deep.
    const events = Array.from({ length: 100 }, (_, round) => [
      ...[1, 2, 3, 4].map((level) => at(round * 1000 + level, eventKind.entry, 6, 9000 - 64 * level)),
      ...[4, 3, 2, 1].map((level) => at(round * 1000 + 500 - level, eventKind.ret, 6, 9016 - 64 * level)),
    ]).flat()
    expect(passed(events, everything, 1e6)).toEqual(events)
    const outermost = passed(events, { ...everything, maxDepth: 1 }, 1e6)
    expect(outermost.filter(({ kind }) => kind !== eventKind.threadTimes)).toHaveLength(200)
    expect(outermost).toHaveLength(300)
    expect(passed(events, { ...everything, minNs: 600 }, 1e6)).toHaveLength(0)
    expect(passed(events, { ...everything, minNs: 430 }, 1e6)).toHaveLength(800)
  })
})
