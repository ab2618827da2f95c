import { parseDuration } from '../../src/base/duration.ts'
import { asTraceNs } from '../../src/base/units.ts'
import type { Call, CallEnd, TracedFunction } from '../../src/trace/call.ts'
import type { TraceEvent } from './random-trace.ts'
import { tracedThread } from './traced-thread.ts'

/**
 * A trace as text, a line per call, two blanks deeper than its caller: `NAME[@MODULE] BEGIN END [HOW]`, with times
 * such as `1us`. A line `thread PID/TID` begins another thread, `lost COUNT` tells of a loss.
 */
export function writtenTrace(text: string): TraceEvent[] {
  const events: TraceEvent[] = []
  const functions = new Map<string, TracedFunction>()
  const open: Call[] = []
  let thread = tracedThread(1)
  const endDownTo = (depth: number) => {
    while (open.length > depth) events.push({ type: 'end', call: open.pop()! })
  }
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const margin = lines[0]!.search(/\S/)
  for (const line of lines) {
    const [first = '', begin = '', end = '', how = 'return'] = line.trim().split(' ')
    const depth = (line.search(/\S/) - margin) / 2
    endDownTo(depth)
    if (first === 'thread') {
      const [pid, tid] = begin.split('/').map(Number)
      thread = tracedThread(tid!, pid)
    } else if (first === 'lost') {
      events.push({ type: 'lost', timeNs: 0, count: Number(begin) })
    } else {
      const fn = functions.get(first) ?? functionOf(first, functions.size)
      functions.set(first, fn)
      const beginNs = asTraceNs(parseDuration(begin))
      const endNs = asTraceNs(parseDuration(end))
      const call = { fn, thread, depth, beginNs, beginCpu: 0, endNs, endCpu: 0, how: how as CallEnd }
      events.push({ type: 'begin', call })
      open.push(call)
    }
  }
  endDownTo(0)
  return events
}

function functionOf(written: string, id: number): TracedFunction {
  const [name = '', module = 'program'] = written.split('@')
  return { id, name, symbol: `_${name}`, module, kind: 'function' }
}

/** The lines of a golden text that stands two blanks deeper than the line that closes it. */
export function unindented(text: string): string[] {
  const lines = text.split('\n')
  const margin = lines.at(-1)!.length + 2
  return lines.slice(1, -1).map((line) => line.slice(margin))
}
