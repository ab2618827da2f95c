import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deliver, functionTable, randomTrace, type TraceEvent } from '../../test/support/random-trace.ts'
import { asTraceNs } from '../base/units.ts'
import { durationNs, rawDurationNs } from '../trace/call.ts'
import { createFlatSink } from './flat.ts'
import { createGraphSink } from './graph.ts'
import { createJsonLinesSink } from './jsonl.ts'
import type { OutputSink } from './output-sink.ts'
import type { TableSinkOptions } from './table-sink.ts'

const hazards = ['\x1b', '\n', '\x9b', '\u202e', '\u2028', '\u{e0041}', '\ud800', '"', '\\', '*/']
const hostileCharacter = fc.oneof(fc.string({ unit: 'binary', maxLength: 1 }), fc.constantFrom(...hazards))
const hostileNames = fc.array(fc.string({ unit: hostileCharacter, maxLength: 12 }), {
  minLength: 1,
  maxLength: 5,
})
const hostileTraces = hostileNames.chain((names) => randomTrace(functionTable(names), 2))
const tameTraces = randomTrace(functionTable(['main', 'ns::f(int)', 'g']), 3)

function linesOf(
  create: (options: TableSinkOptions) => OutputSink,
  events: readonly TraceEvent[],
  options: Partial<TableSinkOptions> = {},
): string[] {
  const chunks: Buffer[] = []
  const sink = create({
    write: (chunk) => chunks.push(Buffer.from(chunk)),
    clock: { baseNs: 0n },
    cpu: false,
    tid: true,
    timestamp: false,
    libname: false,
    color: false,
    ...options,
  })
  deliver(events, sink)
  sink.finish()
  const text = Buffer.concat(chunks).toString()
  return text === '' ? [] : text.replace(/\n$/, '').split('\n')
}

test('when events are seen does not change what is shown of them', () => {
  // Calls of up to 100 ms: some are shown as open before they end.
  const slow = (ns: number) => asTraceNs(ns * 50_000)
  const slowTraces = tameTraces.map((events) =>
    events.map((event): TraceEvent => {
      if (event.type === 'lost') return { ...event, timeNs: slow(event.timeNs) }
      const { beginNs, endNs } = event.call
      return { ...event, call: { ...event.call, beginNs: slow(beginNs), endNs: slow(endNs) } }
    }),
  )
  const timeOf = (event: TraceEvent) =>
    event.type === 'lost' ? event.timeNs : event.type === 'begin' ? event.call.beginNs : event.call.endNs
  fc.assert(
    fc.property(
      slowTraces,
      fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
      (events, moments) => {
        for (const create of [createGraphSink, createFlatSink]) {
          const seenLate = linesOf(create, events)
          const seenLive = linesOf((options) => {
            const sink = create(options)
            let index = 0
            const seen = () => {
              const [from, to] = [timeOf(events[index]!), timeOf(events[++index] ?? events.at(-1)!)]
              const moment = moments.next().value
              if (moment > 0.3) sink.tick(asTraceNs(from + Math.floor((to - from) * moment)))
            }
            const thenSeen = <Event>(show: (event: Event) => void) => {
              return (event: Event) => {
                show(event)
                seen()
              }
            }
            return {
              ...sink,
              begin: thenSeen(sink.begin),
              end: thenSeen(sink.end),
              lost: thenSeen(sink.lost),
            }
          }, events)
          expect(seenLive).toEqual(seenLate)
        }
      },
    ),
  )
})

test('every line of JSON parses to the event that it was made of', () => {
  fc.assert(
    fc.property(hostileTraces, (events) => {
      const parsed = linesOf(createJsonLinesSink, events).map((line) => JSON.parse(line))
      const expected = events.map((event) => {
        if (event.type === 'lost') return { type: 'lost', tsNs: event.timeNs, cpu: 1, count: event.count }
        const { fn, thread, depth, beginNs, beginCpu, endNs, endCpu, how } = event.call
        const { name, symbol, module } = fn
        const common = { type: event.type, pid: thread.pid, tid: thread.tid, depth, name, symbol, module }
        return event.type === 'begin'
          ? { ...common, tsNs: beginNs, cpu: beginCpu }
          : {
              ...common,
              tsNs: endNs,
              cpu: endCpu,
              durationNs: durationNs(event.call),
              rawDurationNs: rawDurationNs(event.call),
              how,
            }
      })
      expect(parsed).toEqual(expected)
    }),
  )
})

test('no output can steer a terminal or break a line', () => {
  fc.assert(
    fc.property(hostileTraces, (events) => {
      for (const create of [createGraphSink, createFlatSink, createJsonLinesSink]) {
        for (const line of linesOf(create, events, { libname: true })) {
          expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
        }
      }
    }),
  )
})

test('JSON times are exact at any uptime', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 18n }), tameTraces, (baseNs, events) => {
      const times = linesOf(createJsonLinesSink, events, { clock: { baseNs } }).map(
        (line) => /"tsNs":(\d+)/.exec(line)![1],
      )
      const expected = events.map((event) => {
        if (event.type === 'lost') return String(baseNs + BigInt(event.timeNs))
        return String(baseNs + BigInt(event.type === 'begin' ? event.call.beginNs : event.call.endNs))
      })
      expect(times).toEqual(expected)
    }),
  )
})

test.each([
  ['graph', createGraphSink],
  ['flat', createFlatSink],
])('%s: the lines of a thread are those it has when it is alone', (_, create) => {
  fc.assert(
    fc.property(tameTraces, (trace) => {
      const events = trace.filter(({ type }) => type !== 'lost')
      const together = linesOf(create, events)
      for (const tid of [1, 2, 3]) {
        const alone = events.filter((event) => event.type !== 'lost' && event.call.thread.tid === tid)
        const isOwn = (line: string) => line.startsWith(`${tid} `.padStart(8))
        expect(together.filter(isOwn)).toEqual(linesOf(create, alone).filter(isOwn))
      }
    }),
  )
})

test('graph: every opened brace is closed at its own depth', () => {
  fc.assert(
    fc.property(tameTraces, (events) => {
      const open = new Map<string, string[]>()
      for (const line of linesOf(createGraphSink, events)) {
        const match = /^ *(\d+) .{11} \| ( *)(.*)$/.exec(line)
        if (match === null) continue
        const [, tid = '', indent = '', text = ''] = match
        const stack = open.get(tid) ?? []
        open.set(tid, stack)
        if (text.startsWith('}')) stack.pop()
        expect(indent).toBe('  '.repeat(stack.length))
        if (text.endsWith('{')) stack.push(text)
      }
      for (const stack of open.values()) expect(stack).toEqual([])
    }),
  )
})
