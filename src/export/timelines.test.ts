import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DecodedMessage } from '../../test/support/decode-protobuf.ts'
import { callsOf, exported, hostileTraces, testFacts } from '../../test/support/export-trace.ts'
import { functionTable, type TraceEvent } from '../../test/support/random-trace.ts'
import { asPid, asTid, asTraceNs } from '../base/units.ts'
import type { Call, CallEnd } from '../trace/call.ts'
import { createChromeExport } from './chrome.ts'
import { createCsvExport } from './csv.ts'
import { createPerfettoExport } from './perfetto.ts'
import { createSpeedscopeExport } from './speedscope.ts'
import { counted } from './text.ts'

/** What every timeline must tell of a call. */
interface ToldCall {
  readonly pid: number
  readonly tid: number
  readonly name: string
  readonly module: string
  readonly beginNs: number
  readonly endNs: number
  readonly end: string
}

function told(call: Call): ToldCall {
  const { fn, thread, beginNs, endNs, how } = call
  return { ...thread, name: fn.name, module: fn.module, beginNs, endNs, end: how }
}

/** Calls in a fixed order: timelines hold them in that of their threads. */
function sorted(calls: readonly ToldCall[]): string[] {
  return calls.map((call) => JSON.stringify(Object.entries(call).sort())).sort()
}

const wellFormed = (text: string) => new TextDecoder().decode(new TextEncoder().encode(text))
const lostOf = (events: readonly TraceEvent[]) =>
  events.reduce((sum, event) => sum + (event.type === 'lost' ? event.count : 0), 0)

test('Chrome trace events tell every call and every loss', () => {
  fc.assert(
    fc.property(hostileTraces, (events) => {
      const file = JSON.parse(exported(createChromeExport, events).toString())
      const stacks = new Map<string, { name: string; module: string; beginNs: number }[]>()
      const calls: ToldCall[] = []
      let lost = 0
      const named = new Set<number>()
      for (const event of file.traceEvents) {
        const key = `${event.pid} ${event.tid}`
        const ns = Math.round(event.ts * 1000)
        if (event.ph === 'M' && event.name === 'process_name') named.add(event.pid)
        if (event.ph === 'i') lost += event.args.count
        if (event.ph === 'B') {
          const stack = stacks.get(key) ?? []
          stacks.set(key, stack)
          stack.push({ name: event.name, module: event.cat, beginNs: ns })
        }
        if (event.ph === 'E') {
          const begin = stacks.get(key)!.pop()!
          calls.push({
            ...begin,
            pid: event.pid,
            tid: event.tid,
            endNs: ns,
            end: event.args?.end ?? 'return',
          })
        }
      }
      const truth = callsOf(events).map(told)
      expect(sorted(calls)).toEqual(
        sorted(truth.map((call) => ({ ...call, module: call.module.replaceAll(',', '_') }))),
      )
      expect(lost).toBe(lostOf(events))
      for (const { pid } of truth) expect(named).toContain(pid)
      expect(file.otherData.clockBaseNs).toBe(String(testFacts.clock.baseNs))
    }),
  )
})

test('Perfetto packets decode by the published field numbers to every call and every loss', () => {
  fc.assert(
    fc.property(hostileTraces, (events) => {
      const trace = new DecodedMessage(exported(createPerfettoExport, events))
      const names = new Map<number, string>()
      const categories = new Map<number, string>()
      const threads = new Map<number, { pid: number; tid: number; name: string | undefined }>()
      const counters = new Map<number, string>()
      const stacks = new Map<number, { name: string; module: string; beginNs: number }[]>()
      const calls: ToldCall[] = []
      let lost = 0
      for (const packet of trace.messages(1)) {
        expect(packet.integer(10)).toBe(1)
        for (const interned of packet.messages(12)) {
          for (const entry of interned.messages(1)) categories.set(entry.integer(1)!, entry.text(2)!)
          for (const entry of interned.messages(2)) names.set(entry.integer(1)!, entry.text(2)!)
        }
        const track = packet.message(60)
        const thread = track?.message(4)
        if (thread)
          threads.set(track!.integer(1)!, {
            pid: thread.integer(1)!,
            tid: thread.integer(2)!,
            name: thread.text(5),
          })
        if (track?.message(8)) counters.set(track.integer(1)!, track.text(2)!)
        const event = packet.message(11)
        if (event === undefined) continue
        const timeNs = packet.integer(8)!
        const uuid = event.integer(11)!
        const type = event.integer(9)
        if (type === 1) {
          const stack = stacks.get(uuid) ?? []
          stacks.set(uuid, stack)
          const name = names.get(event.integer(10)!)!
          stack.push({ name, module: categories.get(event.integer(3)!)!, beginNs: timeNs })
        } else if (type === 2) {
          const { pid, tid } = threads.get(uuid)!
          const annotation = event.message(4)
          if (annotation) expect(annotation.text(10)).toBe('end')
          calls.push({
            ...stacks.get(uuid)!.pop()!,
            pid,
            tid,
            endNs: timeNs,
            end: annotation?.text(6) ?? 'return',
          })
        } else if (type === 4 && counters.get(uuid) === 'events lost') lost = event.integer(30)!
      }
      const truth = callsOf(events).map(told)
      const expected = truth.map((call) => ({
        ...call,
        name: wellFormed(call.name),
        module: wellFormed(call.module),
      }))
      expect(sorted(calls)).toEqual(sorted(expected))
      expect(lost).toBe(lostOf(events))
      for (const { tid, name } of threads.values())
        expect(name).toBe(testFacts.threadName({ pid: asPid(1), tid: asTid(tid) }))
    }),
  )
})

test('Perfetto times are tied to CLOCK_MONOTONIC', () => {
  const [first] = new DecodedMessage(exported(createPerfettoExport, [])).messages(1)
  const snapshot = first!.message(6)!
  const clocks = snapshot.messages(1).map((clock) => [clock.integer(1), clock.integer(2)])
  expect(clocks).toEqual([
    [64, 0],
    [3, Number(testFacts.clock.baseNs)],
  ])
  expect(snapshot.integer(2)).toBe(3)
  expect(first!.message(59)!.integer(58)).toBe(64)
  expect(first!.integer(13)).toBe(1)
})

test('Perfetto counts calls per second in steps of 10 ms, and falls to none', () => {
  const ms = 1_000_000
  const events = [1 * ms, 2 * ms, 45 * ms].flatMap((time) => leaf(time))
  const trace = new DecodedMessage(exported(createPerfettoExport, events))
  const rates = trace.messages(1).flatMap((packet) => {
    const event = packet.message(11)
    return event?.integer(9) === 4 ? [[packet.integer(8)! / ms, event.integer(30)]] : []
  })
  expect(rates).toEqual([
    [0, 200],
    [10, 0],
    [40, 100],
    [50, 0],
  ])
})

test('speedscope profiles are balanced, in order, and tell every call of every thread', () => {
  fc.assert(
    fc.property(hostileTraces, (events) => {
      const file = JSON.parse(exported(createSpeedscopeExport, events).toString())
      expect(file.$schema).toBe('https://www.speedscope.app/file-format-schema.json')
      const frames = file.shared.frames
      const seen: string[] = []
      for (const profile of file.profiles) {
        expect(profile).toMatchObject({ type: 'evented', unit: 'nanoseconds', name: expect.any(String) })
        expect(profile.endValue).toBeGreaterThanOrEqual(profile.startValue)
        let last = profile.startValue
        const stack: { frame: number; at: number }[] = []
        for (const { type, frame, at } of profile.events) {
          expect(at).toBeGreaterThanOrEqual(last)
          last = at
          if (type === 'O') stack.push({ frame, at })
          else {
            const open = stack.pop()!
            expect(open.frame).toBe(frame)
            seen.push(JSON.stringify([frames[frame].name, frames[frame].file, open.at, at]))
          }
        }
        expect(stack).toEqual([])
        expect(profile.endValue).toBe(last)
      }
      const truth = callsOf(events).map(({ fn, beginNs, endNs }) =>
        JSON.stringify([fn.name, fn.module, beginNs, endNs]),
      )
      expect(seen.sort()).toEqual(truth.sort())
      expect(file.profiles).toHaveLength(new Set(callsOf(events).map(({ thread }) => thread.tid)).size)
      if (lostOf(events) > 0) expect(file.name).toContain(`${counted(lostOf(events), 'event')} lost`)
    }),
  )
})

test('CSV rows are lines that read back to the calls', () => {
  fc.assert(
    fc.property(hostileTraces, (events) => {
      const text = exported(createCsvExport, events).toString()
      const [header, ...rows] = text.trimEnd().split('\n').map(splitCsv)
      expect(rows).toHaveLength(callsOf(events).length + events.filter(({ type }) => type === 'lost').length)
      let lost = 0
      for (const row of rows) {
        expect(row).toHaveLength(header!.length)
        const value = Object.fromEntries(header!.map((name, index) => [name, row[index]!]))
        lost += Number(value.lost_events)
        if (value.type === 'call') {
          expect(BigInt(value.end_ns!) - BigInt(value.begin_ns!)).toBe(BigInt(value.duration_ns!))
        }
      }
      expect(lost).toBe(lostOf(events))
    }),
  )
})

test('a CSV export in full', () => {
  const [main, quoted] = functionTable(['main', 'f(int, "x")'])
  const thread = { pid: asPid(1), tid: asTid(1) }
  const call = (fn: typeof main, depth: number, beginNs: number, endNs: number, how: CallEnd): Call => ({
    ...{ fn: fn!, thread, depth, beginCpu: 0, endCpu: 1, how },
    ...{ beginNs: asTraceNs(beginNs), endNs: asTraceNs(endNs) },
  })
  const outer = call(main, 0, 10, 100, 'cut')
  const inner = call(quoted, 1, 20, 50, 'return')
  const text = exported(createCsvExport, [
    { type: 'begin', call: outer },
    { type: 'begin', call: inner },
    { type: 'end', call: inner },
    { type: 'lost', timeNs: 60, count: 3 },
    { type: 'end', call: outer },
  ]).toString()
  expect(text.split('\n').slice(1)).toEqual([
    'call,12345678901234587,12345678901234617,30,30,1,1,1,0,1,return,"app;""<1>","worker,""<1>",' +
      '"f(int, ""x"")","_f(int, ""x"")","libf(int, ""x"")",,',
    'lost,12345678901234627,,,,,,,1,,,,,,,,3,',
    'call,12345678901234577,12345678901234667,90,60,1,1,0,0,1,cut,"app;""<1>","worker,""<1>",main,_main,libmain,,',
    '',
  ])
})

function leaf(time: number): TraceEvent[] {
  const [fn] = functionTable(['f'])
  const times = { beginNs: asTraceNs(time), endNs: asTraceNs(time + 1), beginCpu: 0, endCpu: 0 }
  const call: Call = { fn: fn!, thread: { pid: asPid(1), tid: asTid(1) }, depth: 0, ...times, how: 'return' }
  return [
    { type: 'begin', call },
    { type: 'end', call },
  ]
}

/** RFC 4180, within one line. */
function splitCsv(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain!,
  )
}
