import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type EventKind, eventKind } from '../base/event.ts'
import { asTraceNs } from '../base/units.ts'
import type { Call, CallEnd, TraceSink } from './call.ts'
import type { FunctionRecord } from './functions.ts'
import { Reconstruction } from './reconstruct.ts'

interface Event {
  readonly time: number
  readonly stack: number
  readonly tid: number
  readonly kind: EventKind
  readonly functionId: number
}

/** Every way out, with and without jumps, at two places of the entry probe. */
const functions: readonly FunctionRecord[] = (['return', 'ret', 'entry', 'none'] as const)
  .flatMap((wayOut) => [false, true].map((mayTailCall) => ({ wayOut, mayTailCall })))
  .flatMap((base) =>
    [0, 16].map((entryDisplacement) => ({ ...base, entryDisplacement, entryProbe: 'emulated' as const })),
  )
  .map((record, id) => ({
    ...record,
    fn: { id, name: `f${id}`, symbol: `f${id}`, module: 'target', kind: 'function' },
  }))

/** A call of a tree, and the call that its function ends with by a jump. */
interface Node {
  readonly record: FunctionRecord
  readonly children: readonly Node[]
  readonly tail: Node | undefined
  /** What it puts on the stack between its return address and that of its callees. */
  readonly frameWords: number
}

const seen = (jumps: boolean) =>
  fc.constantFrom(
    ...functions.filter(
      ({ wayOut, mayTailCall }) => (wayOut === 'return' || wayOut === 'ret') && mayTailCall === jumps,
    ),
  )

/** Small enough that no thread has more than 64 returns hooked. */
const { node } = fc.letrec<{ node: Node; leaf: Node; jumping: Node; plain: Node }>((tie) => {
  const children = fc.array(tie('node'), { maxLength: 3, size: 'max', depthIdentifier: 'calls' })
  const frameWords = fc.nat(20)
  return {
    node: fc.oneof(
      { maxDepth: 6, depthSize: 'max', depthIdentifier: 'calls' },
      tie('leaf'),
      tie('plain'),
      tie('jumping'),
    ),
    leaf: fc.record({
      record: fc.boolean().chain(seen),
      children: fc.constant([]),
      tail: fc.constant(undefined),
      frameWords,
    }),
    // A function that can jump does not always do so.
    plain: fc.record({
      record: fc.boolean().chain(seen),
      children,
      tail: fc.constant(undefined),
      frameWords,
    }),
    jumping: fc.record({ record: seen(true), children, tail: tie('node'), frameWords }),
  }
})

/** What a thread's calls look like from outside: `(f0 (f2))`, with how each of them ended. */
type Outline = readonly [name: string, how: CallEnd, callees: readonly Outline[]]

const outlineOf = ({ record, children, tail }: Node): Outline => [
  record.fn.name,
  'return',
  [...children, ...(tail === undefined ? [] : [tail])].map(outlineOf),
]

/** The events of a thread that runs these calls: as the kernel reports them, in order, with times to be given. */
function eventsOf(tid: number, roots: readonly Node[]): Omit<Event, 'time'>[] {
  const events: Omit<Event, 'time'>[] = []
  const run = (current: Node, stack: number, hooked: readonly number[]) => {
    const { record, children, tail } = current
    const { id: functionId } = record.fn
    events.push({ stack: stack - record.entryDisplacement, tid, kind: eventKind.entry, functionId })
    for (const child of children) run(child, stack - 8 * (1 + current.frameWords), [])
    const pending = record.wayOut === 'return' ? [...hooked, functionId] : hooked
    if (tail !== undefined) return run(tail, stack, pending)
    if (record.wayOut === 'ret') events.push({ stack, tid, kind: eventKind.ret, functionId })
    for (const each of [...pending].reverse())
      events.push({ stack, tid, kind: eventKind.return, functionId: each })
  }
  for (const root of roots) run(root, 0x7fff_0000_0000 - tid * 0x10_0000, [])
  return events
}

/** Mixes the events of several threads, each in its own order, and gives them rising times. */
function interleave(
  threads: readonly (readonly Omit<Event, 'time'>[])[],
  choices: readonly number[],
): Event[] {
  const left = threads.map((events) => [...events])
  const mixed: Event[] = []
  for (let index = 0; left.some((events) => events.length > 0); index++) {
    const busy = left.filter((events) => events.length > 0)
    const next = busy[(choices[index % choices.length] ?? 0) % busy.length]!.shift()!
    mixed.push({ ...next, time: (index + 1) * 10 })
  }
  return mixed
}

const choices = fc.array(fc.nat(5), { minLength: 1, maxLength: 50, size: 'max' })
const threadTrees = fc.array(fc.array(node, { maxLength: 3 }), { minLength: 1, maxLength: 3 })

const runs = fc.record({ trees: threadTrees, choices }).map(({ trees, choices: order }) => ({
  trees,
  events: interleave(
    trees.map((roots, index) => eventsOf(index + 1, roots)),
    order,
  ),
}))

/** Builds the tree of each thread, and fails on whatever a sink may rely on. */
class CheckingSink implements TraceSink {
  readonly trees = new Map<number, Outline[]>()
  readonly losses: number[] = []
  begun = 0
  ended = 0
  readonly #open = new Map<Call['thread'], { call: Call; losses: number; callees: Outline[] }[]>()

  begin(call: Call): void {
    const open = this.#openOf(call)
    expect(call.depth).toBe(open.length)
    expect(call.beginNs).toBeGreaterThanOrEqual(open.at(-1)?.call.beginNs ?? 0)
    open.push({ call: { ...call }, losses: this.losses.length, callees: [] })
    this.begun++
  }

  end(call: Call): void {
    const open = this.#openOf(call)
    const { call: begun, losses, callees } = open.pop()!
    expect(call).toMatchObject({ fn: begun.fn, depth: begun.depth, beginNs: begun.beginNs })
    expect(call.endNs).toBeGreaterThanOrEqual(call.beginNs)
    if (losses < this.losses.length) expect(call.how).not.toBe('return')
    const outline: Outline = [call.fn.name, call.how, callees]
    const parent = open.at(-1)
    if (parent !== undefined) parent.callees.push(outline)
    else this.trees.set(call.thread.tid, [...(this.trees.get(call.thread.tid) ?? []), outline])
    this.ended++
  }

  lost({ count }: { count: number }): void {
    this.losses.push(count)
  }

  note(): void {}

  #openOf({ thread }: Call) {
    // By the object: a thread has one for each of its stacks.
    const open = this.#open.get(thread) ?? []
    this.#open.set(thread, open)
    return open
  }
}

function reconstruct(events: readonly Event[]): { sink: CheckingSink; engine: Reconstruction } {
  const sink = new CheckingSink()
  const engine = new Reconstruction(functions, sink, () => 1)
  for (const { time, stack, tid, kind, functionId } of events) {
    engine.event(asTraceNs(time), stack, tid, kind, functionId, 0)
  }
  engine.finish(asTraceNs((events.at(-1)?.time ?? 0) + 10))
  return { sink, engine }
}

const countOf = (events: readonly Pick<Event, 'kind'>[], kind: EventKind) =>
  events.filter((event) => event.kind === kind).length

/** Replaces runs of events by the loss that the kernel reports in their place. */
function lose(events: readonly Event[], gaps: readonly { at: number; length: number }[]): Event[] {
  const result = [...events]
  for (const { at, length } of gaps) {
    const start = at % (result.length + 1)
    const gone = result.slice(start, start + length)
    if (gone.length === 0 || gone.some(({ kind }) => kind === eventKind.lost)) continue
    const loss = { ...gone.at(-1)!, stack: gone.length, kind: eventKind.lost }
    result.splice(start, gone.length, loss)
  }
  return result
}

describe('Reconstruction', () => {
  test('gives back any tree of calls that return, tail calls included', () => {
    fc.assert(
      fc.property(runs, ({ trees, events }) => {
        const { sink, engine } = reconstruct(events)
        for (const [index, roots] of trees.entries()) {
          expect(sink.trees.get(index + 1) ?? []).toEqual(roots.map(outlineOf))
        }
        expect(engine.statistics).toEqual({
          calls: countOf(events, eventKind.entry),
          threads: trees.filter((roots) => roots.length > 0).length,
          lostEvents: 0,
          openCalls: 0,
        })
      }),
      { numRuns: 300 },
    )
  })

  test('with lost events calls still nest and end, and none across a loss is said to have returned', () => {
    const gaps = fc.array(fc.record({ at: fc.nat(300), length: fc.integer({ min: 1, max: 12 }) }), {
      maxLength: 4,
      size: 'max',
    })
    fc.assert(
      fc.property(runs, gaps, ({ events: all }, where) => {
        const events = lose(all, where)
        const { sink, engine } = reconstruct(events)
        const { calls, lostEvents } = engine.statistics
        expect(sink.ended).toBe(sink.begun)
        expect(calls).toBe(sink.begun)
        expect(calls).toBe(countOf(events, eventKind.entry))
        expect(lostEvents).toBe(sink.losses.reduce((sum, count) => sum + count, 0))
        // Every event of the program was delivered or counted as lost.
        expect(events.length - countOf(events, eventKind.lost) + lostEvents).toBe(all.length)
      }),
      { numRuns: 300 },
    )
  })

  test('what comes after a loss is exact again', () => {
    fc.assert(
      fc.property(runs, threadTrees, choices, ({ events }, later, order) => {
        const cut = events.slice(0, events.length >> 1)
        const threads = later.map((roots, index) => eventsOf(index + 1, roots))
        const start = (events.length + 10) * 10
        const loss = { time: start, stack: 1, tid: 0, kind: eventKind.lost, functionId: 0 }
        const after = interleave(threads, order).map((event) => ({ ...event, time: event.time + start }))
        const { sink } = reconstruct([...cut, loss, ...after])
        for (const [index, roots] of later.entries()) {
          const trees = sink.trees.get(index + 1) ?? []
          expect(trees.slice(trees.length - roots.length)).toEqual(roots.map(outlineOf))
        }
      }),
    )
  })

  test('whatever the events: calls nest, and each ends once', () => {
    const event = fc.record({
      stack: fc.oneof(
        fc.integer({ min: 0, max: 12 }).map((slot) => 0x1000 + 8 * slot),
        // For events that hold the id of a thread or process there.
        fc.nat(3),
        fc.maxSafeNat(),
        fc.constant(2 ** 64),
      ),
      tid: fc.nat(3),
      kind: fc.constantFrom(...Object.values(eventKind), eventKind.entry, eventKind.entry, 15 as EventKind),
      functionId: fc.nat(functions.length - 1),
    })
    fc.assert(
      fc.property(fc.array(event, { maxLength: 120, size: 'max' }), (events) => {
        const { sink, engine } = reconstruct(events.map((each, index) => ({ ...each, time: index })))
        expect(sink.ended).toBe(sink.begun)
        expect(engine.statistics.calls).toBe(countOf(events, eventKind.entry))
      }),
      { numRuns: 500 },
    )
  })
})
