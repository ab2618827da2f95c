import { jsonString } from '../base/json-string.ts'
import type { Pid, Tid } from '../base/units.ts'
import { ByteWriter, encode } from '../sink/byte-writer.ts'
import { perFunction } from '../sink/function-text.ts'
import type { CallEnd, TracedThread } from '../trace/call.ts'
import type { ExportSink, ExportTarget } from './export-sink.ts'
import { ThreadStates } from './thread-states.ts'

const head = encode('{"displayTimeUnit":"ns","otherData":')
const arrayStart = encode(',"traceEvents":[\n')
const end = encode('\n]}\n')
const tail = encode('}')
const comma = 0x2c
const point = 0x2e
const phaseBegin = encode('{"ph":"B"')
const phaseEnd = encode('{"ph":"E"')
const keyTime = encode(',"ts":')
const endTail: Readonly<Record<CallEnd, Uint8Array>> = {
  return: tail,
  unwound: encode(',"args":{"end":"unwound"}}'),
  inferred: encode(',"args":{"end":"inferred"}}'),
  cut: encode(',"args":{"end":"cut"}}'),
}

/** Losses and notes without a thread stand in a process of their own, for every event needs one. */
const ownThread: TracedThread = { pid: 0 as Pid, tid: 0 as Tid }
const ownProcess = 'utrace'

/**
 * Trace events in the JSON Object Format, for chrome://tracing, Perfetto and speedscope. Calls are `B` and
 * `E` events, which nest without doubt even where times are equal; the category is the module. Times are
 * microseconds with nanoseconds as decimals since trace time 0, whose CLOCK_MONOTONIC time stands in
 * `otherData`. What was lost is an instant event (`i`) at its time and a counter (`C`); notes are instant
 * events; an `E` that was not seen says so.
 * Source: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
 */
export function createChromeExport({ write, facts }: ExportTarget): ExportSink {
  const out = new ByteWriter(write)
  const { processName, threadName, title, clock } = facts
  let isFirst = true
  let lostEvents = 0
  const pids = new Set<number>()
  const threads = new ThreadStates((thread) => {
    const ids = `,"pid":${thread.pid},"tid":${thread.tid}`
    const name = thread.pid === 0 ? undefined : threadName(thread)
    if (!pids.has(thread.pid)) {
      pids.add(thread.pid)
      metadata(
        'process_name',
        ids,
        thread.pid === 0 ? ownProcess : (processName(thread.pid) ?? `process ${thread.pid}`),
      )
    }
    if (name !== undefined) metadata('thread_name', ids, name)
    return encode(ids)
  })
  const functionFields = perFunction(({ name, module }) =>
    encode(`,"name":${jsonString(name)},"cat":${jsonString(module.replaceAll(',', '_'))}}`),
  )

  out.bytes(head)
  out.bytes(
    encode(
      `{"producer":"utrace","command":${jsonString(title)},"clock":"CLOCK_MONOTONIC","clockBaseNs":"${clock.baseNs}"}`,
    ),
  )
  out.bytes(arrayStart)

  function startEvent(): void {
    if (!isFirst) {
      out.byte(comma)
      out.endLine()
    }
    isFirst = false
  }

  function metadata(kind: string, ids: string, name: string): void {
    startEvent()
    out.bytes(encode(`{"ph":"M","name":"${kind}"${ids},"args":{"name":${jsonString(name)}}}`))
  }

  function event(phase: Uint8Array, thread: TracedThread, timeNs: number): void {
    const ids = threads.of(thread)
    startEvent()
    out.bytes(phase)
    out.bytes(ids)
    out.bytes(keyTime)
    writeMicroseconds(out, timeNs)
  }

  return {
    begin: (call) => {
      event(phaseBegin, call.thread, call.beginNs)
      out.bytes(functionFields(call.fn))
    },
    end: (call) => {
      event(phaseEnd, call.thread, call.endNs)
      out.bytes(endTail[call.how])
    },
    lost: ({ timeNs, cpu, count }) => {
      lostEvents += count
      event(encode('{"ph":"i","s":"g"'), ownThread, timeNs)
      out.bytes(encode(`,"name":"${count} events lost","args":{"count":${count},"cpu":${cpu}}}`))
      event(encode('{"ph":"C"'), ownThread, timeNs)
      out.bytes(encode(`,"name":"events lost","args":{"count":${lostEvents}}}`))
    },
    note: ({ timeNs, thread, text }) => {
      event(encode(`{"ph":"i","s":"${thread === undefined ? 'g' : 't'}"`), thread ?? ownThread, timeNs)
      out.bytes(encode(`,"name":${jsonString(text)}}`))
    },
    finish: () => {
      out.bytes(end)
      out.flush()
    },
  }
}

function writeMicroseconds(out: ByteWriter, ns: number): void {
  const microseconds = Math.floor(ns / 1000)
  out.integer(microseconds)
  out.byte(point)
  out.digits(ns - microseconds * 1000, 3)
}
