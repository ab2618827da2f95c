import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonLinesOf, nestedCalls, relatedTraces } from '../../test/support/jsonl-trace.ts'
import { groupBy, type NaiveCall, naiveNumbers, naiveTrace } from '../../test/support/naive-report.ts'
import { deliver, functionTable, type TraceEvent } from '../../test/support/random-trace.ts'
import { asPid, asTid, asTraceNs } from '../base/units.ts'
import { createAggregator, type Grouping, type Subject, type Summary } from './aggregate.ts'

function aggregate(events: Iterable<TraceEvent>, by: Grouping) {
  const aggregator = createAggregator(by)
  deliver(events, aggregator)
  return aggregator.result()
}

const keyOfCall: Readonly<Record<Grouping, (call: NaiveCall) => string>> = {
  function: ({ name, symbol, module }) => JSON.stringify([name, symbol, module]),
  module: ({ module }) => module,
  thread: ({ pid, tid }) => `${pid}/${tid}`,
  process: ({ pid }) => `${pid}`,
}

function keyOf(subject: Subject): string {
  switch (subject.by) {
    case 'function':
      return JSON.stringify([subject.name, subject.symbol, subject.module])
    case 'module':
      return subject.module
    case 'thread':
      return `${subject.pid}/${subject.tid}`
    case 'process':
      return `${subject.pid}`
  }
}

function expectEqual(summary: Summary, calls: readonly NaiveCall[]): void {
  const { durations, avgNs, stddevNs, ...exact } = naiveNumbers(calls)
  expect(summary).toMatchObject(exact)
  expect(summary.avgNs).toBeCloseTo(avgNs, 6)
  expect(summary.stddevNs).toBeCloseTo(stddevNs, 6)
  const { p50Ns, p90Ns, p99Ns, p999Ns } = summary
  for (const [share, ns] of [
    [500, p50Ns],
    [900, p90Ns],
    [990, p99Ns],
    [999, p999Ns],
  ] as const) {
    const expected = durations[Math.ceil((share * durations.length) / 1000) - 1]!
    expect(Math.abs(ns - expected)).toBeLessThanOrEqual(expected / 128)
  }
  const spread = summary.powersOfTwo()
  for (const { fromNs, toNs, count } of spread)
    expect(durations.filter((ns) => ns >= fromNs && ns < toNs)).toHaveLength(count)
  expect(spread.reduce((sum, { count }) => sum + count, 0)).toBe(durations.length)
}

describe.each(['function', 'module', 'thread', 'process'] as const)('by %s', (by) => {
  it('every number is what the JSON lines of the same trace add up to', () => {
    fc.assert(
      fc.property(relatedTraces, (events) => {
        const { calls, lostEvents } = naiveTrace(jsonLinesOf(events))
        const result = aggregate(events, by)
        const groups = groupBy(calls, keyOfCall[by])
        expect(result.summaries.map(({ subject }) => keyOf(subject)).sort()).toEqual(
          [...groups.keys()].sort(),
        )
        for (const summary of result.summaries) expectEqual(summary, groups.get(keyOf(summary.subject))!)
        expect(result).toMatchObject({ by, calls: calls.length, lostEvents })
        const outermost = calls.filter(({ callers }) => callers.length === 0)
        expect(result.totalNs).toBe(outermost.reduce((sum, { beginNs, endNs }) => sum + endNs - beginNs, 0))
        expect(result.summaries.reduce((sum, { selfNs }) => sum + selfNs, 0)).toBe(result.totalNs)
      }),
    )
  })
})

it('numbers stay right beyond what the first tables hold: 300 functions, and calls 100 deep', () => {
  const functions = functionTable(Array.from({ length: 300 }, (_, index) => `f${index}`))
  const events = nestedCalls(Array.from({ length: 100 }, (_, depth) => functions[(depth * 7) % 300]!))
  const { calls } = naiveTrace(jsonLinesOf(events))
  const groups = groupBy(calls, keyOfCall.function)
  const { summaries } = aggregate(events, 'function')
  expect(summaries).toHaveLength(groups.size)
  for (const summary of summaries) expectEqual(summary, groups.get(keyOf(summary.subject))!)
})

it('a thread id that another process uses later counts there', () => {
  const functions = functionTable(['f'])
  const events = [...nestedCalls(functions, 1), ...nestedCalls(functions, 2)]
  const { summaries } = aggregate(events, 'process')
  expect(summaries.map(({ subject, calls }) => ({ subject, calls }))).toEqual([
    { subject: { by: 'process', pid: 1 }, calls: 1 },
    { subject: { by: 'process', pid: 2 }, calls: 1 },
  ])
})

it('a call that stands for several counts like so many, and one that stands for none not at all', () => {
  const [f, g] = functionTable(['f', 'g'])
  const thread = { tid: asTid(1), pid: asPid(1) }
  const numbersOf = (calls: readonly { readonly ns: number; readonly weight: number }[]) => {
    const aggregator = createAggregator('function')
    for (const { ns, weight } of calls) {
      const times = { beginNs: asTraceNs(0), endNs: asTraceNs(ns), beginCpu: 0, endCpu: 0 }
      const call = { fn: f!, thread, depth: 0, how: 'return', weight, ...times } as const
      const undrawn = { ...call, fn: g!, depth: 1, weight: 0 }
      aggregator.begin(call)
      aggregator.begin(undrawn)
      aggregator.end(undrawn)
      aggregator.end(call)
    }
    return aggregator.result()
  }
  expect(numbersOf([{ ns: 5, weight: 0 }])).toMatchObject({ summaries: [], calls: 0, sampleInterval: 0 })
  const durations = fc.array(fc.nat(1e6), { minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(durations, fc.integer({ min: 2, max: 9 }), (all, weight) => {
      const sample = numbersOf(all.map((ns) => ({ ns, weight })))
      const whole = numbersOf(all.flatMap((ns) => Array.from({ length: weight }, () => ({ ns, weight: 1 }))))
      expect(sample.sampleInterval).toBe(weight)
      expect(sample.calls).toBe(weight * all.length)
      const [one] = sample.summaries
      const [other] = whole.summaries
      expect(sample.summaries).toHaveLength(1)
      expect({ ...one, stddevNs: 0, powersOfTwo: one!.powersOfTwo() }).toEqual({
        ...other,
        stddevNs: 0,
        powersOfTwo: other!.powersOfTwo(),
      })
      expect(one!.stddevNs).toBeCloseTo(other!.stddevNs, 3)
    }),
  )
})
