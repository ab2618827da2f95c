import fc from 'fast-check'
import { asPid, asTid, asTraceNs } from '../../src/base/units.ts'
import type { Call, CallEnd, TracedFunction, TraceSink } from '../../src/trace/call.ts'
import { tracedThread } from './traced-thread.ts'

/** What an engine may deliver: properly nested per thread, each begin with its end, times rising. */
export type TraceEvent =
  | { readonly type: 'begin'; readonly call: Call }
  | { readonly type: 'end'; readonly call: Call }
  | { readonly type: 'lost'; readonly timeNs: number; readonly count: number }

const callEnds: readonly CallEnd[] = ['return', 'unwound', 'inferred', 'cut']

/** Functions of any names, hostile ones included. */
export function functionTable(names: readonly string[]): TracedFunction[] {
  return names.map((name, id) => ({ id, name, symbol: `_${name}`, module: `lib${name}`, kind: 'function' }))
}

/** Random traces of up to `threadCount` threads over the functions of a table. */
export function randomTrace(functions: readonly TracedFunction[], threadCount: number) {
  const step = fc.record({
    tid: fc.integer({ min: 1, max: threadCount }),
    action: fc.constantFrom('begin', 'begin', 'begin', 'end', 'end', 'end', 'lost'),
    fn: fc.constantFrom(...functions),
    pauseNs: fc.oneof(fc.nat(3), fc.nat(2000)),
    how: fc.constantFrom(...callEnds),
  })
  return fc.array(step, { maxLength: 60, size: 'max' }).map((steps) => {
    const events: TraceEvent[] = []
    const open = new Map<number, Call[]>()
    let now = 0
    const end = (stack: Call[], how: CallEnd) =>
      events.push({ type: 'end', call: { ...stack.pop()!, endNs: asTraceNs(now), endCpu: 1, how } })
    for (const { tid, action, fn, pauseNs, how } of steps) {
      now += pauseNs
      const stack = open.get(tid) ?? []
      open.set(tid, stack)
      if (action === 'lost') events.push({ type: 'lost', timeNs: now, count: pauseNs + 1 })
      else if (action === 'end' && stack.length > 0) end(stack, how)
      else {
        const thread = tracedThread(tid)
        const times = { beginNs: asTraceNs(now), beginCpu: 0, endNs: asTraceNs(now), endCpu: 0 }
        const call: Call = { fn, thread, depth: stack.length, ...times, how: 'cut' }
        events.push({ type: 'begin', call })
        stack.push(call)
      }
    }
    for (const stack of open.values()) while (stack.length > 0) end(stack, 'cut')
    return events
  })
}

const garbage: Call = {
  fn: { id: 0, name: 'GARBAGE', symbol: 'GARBAGE', module: 'GARBAGE', kind: 'function' },
  thread: { tid: asTid(666), pid: asPid(666) },
  depth: 99,
  beginNs: asTraceNs(1e15),
  beginCpu: 99,
  endNs: asTraceNs(1e15),
  endCpu: 99,
  how: 'cut',
}

/** Delivers events as the engine does: in one `Call` object that is worth nothing after each callback. */
export function deliver(events: Iterable<TraceEvent>, sink: TraceSink): void {
  const reused = { ...garbage }
  for (const event of events) {
    if (event.type === 'lost') {
      sink.lost({ timeNs: asTraceNs(event.timeNs), cpu: 1, count: event.count })
      continue
    }
    Object.assign(reused, event.call)
    if (event.type === 'begin') sink.begin(reused)
    else sink.end(reused)
    Object.assign(reused, garbage)
  }
}

/** Keeps copies of what it is given. */
export function recordingSink(): TraceSink & { readonly events: TraceEvent[] } {
  const events: TraceEvent[] = []
  return {
    events,
    begin: (call) => events.push({ type: 'begin', call: { ...call } }),
    end: (call) => events.push({ type: 'end', call: { ...call } }),
    lost: ({ timeNs, count }) => events.push({ type: 'lost', timeNs, count }),
    note: () => {},
  }
}
