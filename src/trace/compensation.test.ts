import fc from 'fast-check'
import { expect, test } from 'vitest'
import { feed, type RawEvent, randomEvents, randomFunctions } from '../../test/support/random-events.ts'
import { type EventConsumer, eventKind } from '../base/event.ts'
import { asTraceNs } from '../base/units.ts'
import { type Call, durationNs, rawDurationNs, type TraceSink } from './call.ts'
import type { FunctionRecord } from './functions.ts'
import { entryCostOf, likelyDisturbanceNs, type ProbeCosts } from './probe-costs.ts'
import { Reconstruction } from './reconstruct.ts'
import { withTimeRange } from './time-range.ts'

const cost = fc.record({ beforeNs: fc.nat(5000), afterNs: fc.nat(20_000) })
const undisturbedCosts = fc.record({
  entry: fc.record({ emulated: cost, stepped: cost, nop: cost }),
  libraryCallNs: fc.nat(200),
  return: cost,
  ret: cost,
  jump: cost,
})
const disturbance = fc.record({ perSecond: fc.nat(1e6), ns: fc.nat(50_000) })
const probeCosts: fc.Arbitrary<ProbeCosts> = fc
  .tuple(undisturbedCosts, fc.option(disturbance))
  .map(([costs, some]) => (some === null ? costs : { ...costs, disturbance: some }))

/** Notes each call at its end, and fails where durations are not what a reader may rely on. */
class CheckingSink implements TraceSink {
  readonly calls: { name: string; durationNs: number; rawNs: number; how: string }[] = []
  readonly #children = new Map<Call['thread'], number[]>()

  begin({ thread }: Call): void {
    this.#childrenOf(thread).push(0)
  }

  end(call: Call): void {
    const children = this.#childrenOf(call.thread)
    const duration = durationNs(call)
    expect(Number.isInteger(duration)).toBe(true)
    expect(duration).toBeGreaterThanOrEqual(0)
    expect(duration).toBeLessThanOrEqual(rawDurationNs(call))
    expect(duration).toBeGreaterThanOrEqual(children.pop()!)
    if (children.length > 0) children[children.length - 1]! += duration
    this.calls.push({ name: call.fn.name, durationNs: duration, rawNs: rawDurationNs(call), how: call.how })
  }

  lost(): void {}
  note(): void {}

  #childrenOf(thread: Call['thread']): number[] {
    const children = this.#children.get(thread) ?? []
    this.#children.set(thread, children)
    return children
  }
}

const functions = randomFunctions(12)
const endNs = asTraceNs(1e15)

function rebuild(events: Iterable<RawEvent>, costs: ProbeCosts | undefined, sink: TraceSink): Reconstruction {
  const engine = new Reconstruction(functions, sink, (tid) => tid, { probeCosts: costs })
  feed(events, engine)
  return engine
}

test('whatever the events: durations are not negative, not above what was measured, and nest', () => {
  fc.assert(
    fc.property(randomEvents(functions, 20), probeCosts, (events, costs) => {
      const sink = new CheckingSink()
      rebuild(events, costs, sink).finish(endNs)
    }),
  )
})

test('within a range of time, too', () => {
  fc.assert(
    fc.property(randomEvents(functions, 20), probeCosts, fc.nat(99), (events, costs, percent) => {
      const sink = new CheckingSink()
      const times = events.map(({ time }) => time)
      const from = asTraceNs(times[Math.floor((times.length * percent) / 100)] ?? 0)
      const filter = withTimeRange(sink, { from, to: asTraceNs(from + 1e6) })
      rebuild(events, costs, filter).finish(endNs)
      filter.finish()
    }),
  )
})

test('without costs, durations are what was measured', () => {
  fc.assert(
    fc.property(randomEvents(functions, 20), (events) => {
      const sink = new CheckingSink()
      rebuild(events, undefined, sink).finish(endNs)
      for (const call of sink.calls) expect(call.durationNs).toBe(call.rawNs)
    }),
  )
})

test('a state brings another reconstruction to the same durations', () => {
  fc.assert(
    fc.property(randomEvents(functions, 30), probeCosts, fc.nat(99), (all, costs, percent) => {
      // What a state does not tell: see the properties of states.
      const events = all.filter(({ kind }) => kind !== eventKind.exitsProbed)
      const at = Math.floor((events.length * percent) / 100)
      const whole = new CheckingSink()
      const first = rebuild(events.slice(0, at), costs, whole)
      const before = whole.calls.length
      const resumed = new CheckingSink()
      const second = rebuild([], costs, resumed)
      first.describeState(second)
      feed(events.slice(at), first, second)
      first.finish(endNs)
      second.finish(endNs)
      const sorted = (calls: CheckingSink['calls']) => calls.map((call) => JSON.stringify(call)).sort()
      expect(sorted(resumed.calls)).toEqual(sorted(whole.calls.slice(before)))
    }),
  )
})

test('what disturbances have cost a call is nothing at first, and the mean in the long run', () => {
  const costs = { disturbance: { perSecond: 3000, ns: 30_000 } } as ProbeCosts
  const of = (probesNs: number) => likelyDisturbanceNs(costs, probesNs)
  expect([0, 100_000, 200_000].map(of)).toEqual([0, 0, 0])
  expect(of(300_000)).toBe(30_000)
  expect(of(1e9)).toBe(90_000_000)
  expect(likelyDisturbanceNs(undefined, 1e9)).toBe(0)
})

/** A call that takes the program so long by itself, before each of its calls and at its end. */
interface Work {
  readonly fn: number
  readonly selfNs: number
  readonly callees: readonly Work[]
}

const kinds = (['emulated', 'stepped', 'nop'] as const).flatMap((entryProbe) =>
  (['return', 'ret', 'jump'] as const).map((exit) => ({ entryProbe, exit })),
)
const workFunctions = kinds.map(
  ({ entryProbe, exit }, id): FunctionRecord => ({
    fn: {
      id,
      name: `w${id}`,
      symbol: `w${id}`,
      module: 'm',
      kind: id % 2 === 0 ? 'function' : 'library-call',
    },
    entryDisplacement: 0,
    entryProbe,
    wayOut: exit === 'return' ? 'return' : 'ret',
    mayTailCall: false,
  }),
)
const { work } = fc.letrec<{ work: Work; leaf: Work; caller: Work }>((tie) => {
  const fn = fc.nat(kinds.length - 1)
  const selfNs = fc.nat(10_000)
  return {
    work: fc.oneof({ maxDepth: 5 }, tie('leaf'), tie('caller')),
    leaf: fc.record({ fn, selfNs, callees: fc.constant([]) }),
    caller: fc.record({ fn, selfNs, callees: fc.array(tie('work'), { maxLength: 4 }) }),
  }
})

/** Runs it under probes that cost exactly what is known of them. @returns how long it takes without */
function run({ fn, selfNs, callees }: Work, costs: ProbeCosts, clock: { ns: number }, to: EventConsumer) {
  const stack = 2 ** 47 - clock.ns
  const runAt = (current: Work, depth: number): number => {
    const { exit } = kinds[current.fn]!
    const hit = (kind: number, { beforeNs, afterNs }: { beforeNs: number; afterNs: number }) => {
      clock.ns += beforeNs
      to.event(asTraceNs(clock.ns), stack - depth * 64, 1, kind as 0, current.fn, 0)
      clock.ns += afterNs
    }
    hit(eventKind.entry, entryCostOf(costs, workFunctions[current.fn]!))
    let programNs = 0
    for (const callee of current.callees) {
      clock.ns += current.selfNs
      programNs += current.selfNs + runAt(callee, depth + 1)
    }
    clock.ns += current.selfNs
    hit(eventKind[exit], costs[exit])
    return programNs + current.selfNs
  }
  return runAt({ fn, selfNs, callees }, 0)
}

test('where probes cost what was measured of them, durations are exactly those of the program', () => {
  fc.assert(
    fc.property(work, undisturbedCosts, (root, costs) => {
      const sink = new CheckingSink()
      const engine = new Reconstruction(workFunctions, sink, (tid) => tid, { probeCosts: costs })
      const expected: number[] = []
      const collect = (current: Work): number => {
        const total = current.callees.reduce((sum, callee) => sum + collect(callee), 0)
        const own = total + current.selfNs * (current.callees.length + 1)
        expected.push(own)
        return own
      }
      collect(root)
      run(root, costs, { ns: 1000 }, engine)
      expect(sink.calls.map((call) => call.durationNs)).toEqual(expected)
    }),
  )
})
