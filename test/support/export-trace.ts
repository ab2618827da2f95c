import fc from 'fast-check'
import type { ExportSink, ExportTarget } from '../../src/export/export-sink.ts'
import type { TraceFacts } from '../../src/export/trace-facts.ts'
import { type Call, durationNs } from '../../src/trace/call.ts'
import { deliver, functionTable, randomTrace, type TraceEvent } from './random-trace.ts'

export const testFacts: TraceFacts = {
  clock: { baseNs: 12_345_678_901_234_567n },
  title: './app --fast <"&\u202e',
  processName: (pid) => (pid % 2 === 1 ? `app;"<${pid}>` : undefined),
  threadName: ({ tid }) => (tid % 2 === 1 ? `worker,"<${tid}>` : undefined),
}

const hazards = [
  '\x1b',
  '\n',
  '\x9b',
  '\u202e',
  '\u2028',
  '\ud800',
  '\uffff',
  '"',
  '\\',
  ';',
  '<',
  '&',
  ']]>',
  '#',
  ' ',
  "'2",
  '(1)',
  ',',
  '</script>',
]
const hostileCharacter = fc.oneof(fc.string({ unit: 'binary', maxLength: 1 }), fc.constantFrom(...hazards))
const hostileName = fc.string({ unit: hostileCharacter, minLength: 1, maxLength: 8 })

/**
 * Traces of functions with hostile names, in three threads of two processes, with losses, cuts and recursion.
 */
export const hostileTraces = fc
  .array(hostileName, { minLength: 1, maxLength: 5 })
  .chain((names) => tracesOf(names))

/** The same with names that every format holds as they are. */
export const tameTraces = tracesOf(['main', 'ns::f(int)', 'operator()', 'g', '(anonymous namespace)::h'])

function tracesOf(names: readonly string[]): fc.Arbitrary<TraceEvent[]> {
  return randomTrace(functionTable(names), 3).map((events) => events.map(inTwoProcesses))
}

/** Thread 3 belongs to a process of its own. */
function inTwoProcesses(event: TraceEvent): TraceEvent {
  if (event.type === 'lost' || event.call.thread.tid < 3) return event
  const thread = { ...event.call.thread, pid: 2 as Call['thread']['pid'] }
  return { ...event, call: { ...event.call, thread } }
}

/** What an exporter writes for `events`. */
export function exported(
  create: (target: ExportTarget) => ExportSink,
  events: readonly TraceEvent[],
  facts: TraceFacts = testFacts,
): Buffer {
  const chunks: Buffer[] = []
  const sink = create({ write: (chunk) => chunks.push(Buffer.from(chunk)), facts })
  deliver(events, sink)
  sink.finish()
  return Buffer.concat(chunks)
}

/** Calls that came to their end. */
export function callsOf(events: readonly TraceEvent[]): readonly Call[] {
  return events.flatMap((event) => (event.type === 'end' ? [event.call] : []))
}

/** Time in outermost calls, by thread. */
export function outermostNs(events: readonly TraceEvent[]): number {
  return callsOf(events).reduce((sum, call) => sum + (call.depth === 0 ? durationNs(call) : 0), 0)
}

export interface FunctionTotals {
  calls: number
  selfNs: number
  /** Recursion counted once. */
  inclusiveNs: number
}

/**
 * The truth, worked out another way than any exporter does it: per function name, from each thread's list of
 * calls.
 */
export function totalsByName(
  events: readonly TraceEvent[],
  spelled: (name: string) => string = (name) => name,
): Map<string, FunctionTotals> {
  const totals = new Map<string, FunctionTotals>()
  const open = new Map<number, Call[]>()
  for (const event of events) {
    if (event.type === 'lost') continue
    const stack = open.get(event.call.thread.tid) ?? []
    open.set(event.call.thread.tid, stack)
    if (event.type === 'begin') {
      stack.push(event.call)
      continue
    }
    stack.pop()
    const name = spelled(event.call.fn.name)
    const duration = durationNs(event.call)
    const own = entryOf(totals, name)
    own.calls += 1
    own.selfNs += duration
    if (!stack.some((outer) => spelled(outer.fn.name) === name)) own.inclusiveNs += duration
    const caller = stack.at(-1)
    if (caller !== undefined) entryOf(totals, spelled(caller.fn.name)).selfNs -= duration
  }
  return totals
}

export function entryOf(totals: Map<string, FunctionTotals>, name: string): FunctionTotals {
  const known = totals.get(name)
  if (known !== undefined) return known
  const created = { calls: 0, selfNs: 0, inclusiveNs: 0 }
  totals.set(name, created)
  return created
}
