import type fc from 'fast-check'
import { asTraceNs } from '../../src/base/units.ts'
import { createJsonLinesSink } from '../../src/sink/jsonl.ts'
import type { Call, TracedFunction } from '../../src/trace/call.ts'
import { deliver, randomTrace, type TraceEvent } from './random-trace.ts'
import { tracedThread } from './traced-thread.ts'

/** Functions that share names, symbols and modules in all ways; the last two are the same but for their ids. */
export const relatedFunctions: readonly TracedFunction[] = [
  ['f', 'f', 'a'],
  ['f', 'f', 'b'],
  ['f', 'f.cold', 'a'],
  ['g(int)', '_Z1gi', 'a'],
  ['\u001b[31m', 'h', 'c'],
  ['k', 'k', 'c'],
  ['k', 'k', 'c'],
].map(([name = '', symbol = '', module = ''], id) => ({ id, name, symbol, module, kind: 'function' }))

/** Traces of five threads in two processes, with losses, ends of all kinds and recursion. */
export const relatedTraces: fc.Arbitrary<TraceEvent[]> = randomTrace(relatedFunctions, 5).map((events) =>
  events.map((event) => {
    if (event.type === 'lost') return event
    const { tid } = event.call.thread
    return { ...event, call: { ...event.call, thread: tracedThread(tid, tid < 3 ? 1 : 2) } }
  }),
)

/** The JSON lines of a trace. */
export function jsonLinesOf(events: Iterable<TraceEvent>): string {
  const chunks: string[] = []
  const sink = createJsonLinesSink({
    write: (chunk) => chunks.push(Buffer.from(chunk).toString()),
    clock: { baseNs: 0n },
  })
  deliver(events, sink)
  sink.finish()
  return chunks.join('')
}

/** Calls within each other in one thread, each a nanosecond longer at both ends than the next. */
export function nestedCalls(functions: readonly TracedFunction[], pid = 1): TraceEvent[] {
  const thread = tracedThread(1, pid)
  const calls = functions.map((fn, depth): Call => {
    const beginNs = asTraceNs(depth)
    const endNs = asTraceNs(2 * functions.length - depth)
    return { fn, thread, depth, beginNs, beginCpu: 0, endNs, endCpu: 0, how: 'return' }
  })
  return [
    ...calls.map((call) => ({ type: 'begin', call }) as const),
    ...calls.reverse().map((call) => ({ type: 'end', call }) as const),
  ]
}
