import { escapeText } from '../base/escape.ts'
import { ByteWriter, encode } from '../sink/byte-writer.ts'
import { perFunction } from '../sink/function-text.ts'
import { writeAbsoluteNs } from '../sink/time-text.ts'
import { type Call, type CallEnd, durationNs, type TracedThread } from '../trace/call.ts'
import { splitBase } from '../trace/clock.ts'
import type { ExportSink, ExportTarget } from './export-sink.ts'
import { ThreadStates } from './thread-states.ts'

const header =
  'type,begin_ns,end_ns,duration_ns,self_ns,pid,tid,depth,begin_cpu,end_cpu,end,process,thread,function,symbol,module,lost_events,text'
const comma = 0x2c
const ends: Readonly<Record<CallEnd, Uint8Array>> = {
  return: encode('return'),
  unwound: encode('unwound'),
  inferred: encode('inferred'),
  cut: encode('cut'),
}
const callRow = encode('call,')
const lostRow = encode('lost,')
const noteRow = encode('note,')

interface Thread {
  /** `process,thread,` */
  readonly names: Uint8Array
  /** Time in the children so far of each open call, outermost first. */
  readonly childrenNs: number[]
  depth: number
}

/**
 * Comma-separated values with a header line, one row per call at its end, and one per loss and note. Times
 * are CLOCK_MONOTONIC in nanoseconds. Fields that a row does not have are empty; control characters in names
 * are spelled out, so that every row is a line.
 * Source: https://www.rfc-editor.org/rfc/rfc4180 (with LF line ends)
 */
export function createCsvExport({ write, facts }: ExportTarget): ExportSink {
  const out = new ByteWriter(write)
  const base = splitBase(facts.clock)
  const functionFields = perFunction(({ name, symbol, module }) =>
    encode(`${field(name)},${field(symbol)},${field(module)},,`),
  )
  const threads = new ThreadStates<Thread>((thread) => ({
    names: encode(`${field(facts.processName(thread.pid) ?? '')},${field(facts.threadName(thread) ?? '')},`),
    childrenNs: [],
    depth: 0,
  }))
  out.bytes(encode(header))
  out.endLine()

  function integers(...values: readonly number[]): void {
    for (const value of values) {
      out.integer(value)
      out.byte(comma)
    }
  }

  function time(timeNs: number): void {
    writeAbsoluteNs(out, base, timeNs)
    out.byte(comma)
  }

  function endCall(call: Call): void {
    const thread = threads.of(call.thread)
    const duration = durationNs(call)
    thread.depth -= 1
    const selfNs = duration - thread.childrenNs[thread.depth]!
    if (thread.depth > 0) thread.childrenNs[thread.depth - 1]! += duration
    out.bytes(callRow)
    time(call.beginNs)
    time(call.endNs)
    integers(duration, selfNs, call.thread.pid, call.thread.tid, call.depth, call.beginCpu, call.endCpu)
    out.bytes(ends[call.how])
    out.byte(comma)
    out.bytes(thread.names)
    out.bytes(functionFields(call.fn))
    out.endLine()
  }

  function remark(
    row: Uint8Array,
    timeNs: number,
    thread: TracedThread | undefined,
    cpu: string,
    tail: string,
  ) {
    out.bytes(row)
    time(timeNs)
    out.bytes(encode(`,,,${thread?.pid ?? ''},${thread?.tid ?? ''},,${cpu},,,`))
    if (thread === undefined) out.bytes(encode(',,'))
    else out.bytes(threads.of(thread).names)
    out.bytes(encode(`,,,${tail}`))
    out.endLine()
  }

  return {
    begin: ({ thread }) => {
      const state = threads.of(thread)
      state.childrenNs[state.depth] = 0
      state.depth += 1
    },
    end: endCall,
    lost: ({ timeNs, cpu, count }) => remark(lostRow, timeNs, undefined, String(cpu), `${count},`),
    note: ({ timeNs, thread, text }) => remark(noteRow, timeNs, thread, '', `,${field(text)}`),
    finish: () => out.flush(),
  }
}

function field(text: string): string {
  const safe = escapeText(text)
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
