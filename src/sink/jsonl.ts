import { jsonString } from '../base/json-string.ts'
import type { TraceNs } from '../base/units.ts'
import {
  type Call,
  type CallEnd,
  durationNs,
  migrations,
  offCpuNs,
  pageFaults,
  rawDurationNs,
  type TracedThread,
} from '../trace/call.ts'
import { splitBase, type TraceClock } from '../trace/clock.ts'
import { ByteWriter, type ChunkWriter, encode } from './byte-writer.ts'
import { perFunction } from './function-text.ts'
import type { OutputSink } from './output-sink.ts'
import { writeAbsoluteNs } from './time-text.ts'

const typeBegin = encode('{"type":"begin","tsNs":')
const typeEnd = encode('{"type":"end","tsNs":')
const typeLost = encode('{"type":"lost","tsNs":')
const typeNote = encode('{"type":"note","tsNs":')
const keyPid = encode(',"pid":')
const keyTid = encode(',"tid":')
const keyStack = encode(',"stack":')
const inheritedClose = encode(',"inherited":true}')
const keyCpu = encode(',"cpu":')
const keyDepth = encode(',"depth":')
const keyCount = encode(',"count":')
const keyDuration = encode(',"durationNs":')
const keyWaited = encode(',"waitedNs":')
const keyRawDuration = encode(',"rawDurationNs":')
const close = encode('}')
const keyWeight = encode(',"weight":')
const keyOffCpu = encode(',"offCpuNs":')
const keyPageFaults = encode(',"pageFaults":')
const keyMigrations = encode(',"migrations":')
const howTail: Readonly<Record<CallEnd, Uint8Array>> = {
  return: encode(',"how":"return"}'),
  unwound: encode(',"how":"unwound"}'),
  inferred: encode(',"how":"inferred"}'),
  cut: encode(',"how":"cut"}'),
}

export interface JsonLinesOptions {
  readonly write: ChunkWriter
  readonly clock: TraceClock
}

/**
 * JSON Lines: one object per event, in the order of the engine's events, which per thread is that of time.
 *
 *     begin  type tsNs pid tid [stack] cpu depth name symbol module [weight] [inherited]
 *     end    the same and durationNs rawDurationNs [offCpuNs] [pageFaults] [migrations] [waitedNs] how
 *            (`tsNs` and `cpu` are those of the end)
 *     lost   type tsNs cpu count             (`count` in events, not calls)
 *     note   type tsNs [pid tid] text
 *
 * `weight` is there in a sample only: how many calls this one stands for, 0 if it is traced for lying within one that
 * was drawn. The sum of the weights is an unbiased estimate of the calls that were made.
 *
 * A thread that switches stacks has a tree for each: `stack` numbers them, and is absent for the first. A call that was
 * open when its process was forked begins in the child at that time, with `inherited` true: it was not made there.
 *
 * `waitedNs` is how long the call was held up by utrace, so that no event was lost or for an exception: it is not part of `durationNs`.
 *
 * `tsNs` is CLOCK_MONOTONIC in nanoseconds, all digits exact: beyond 104 days of uptime it exceeds 2^53, and a
 * reader that holds numbers in doubles rounds it. `durationNs` is always exact in a double; it is an upper bound
 * when `how` is `unwound` or `inferred`, a lower one when it is `cut`.
 * `durationNs` is the program's, without what probes took; `rawDurationNs` is what was measured, the distance of the two
 * `tsNs`. They are the same where durations are not compensated. `offCpuNs` is the part of both in which the thread was
 * off CPU, `pageFaults` and `migrations` (to another CPU) what happened to it besides, each where it was traced and is not 0.
 */
export function createJsonLinesSink(options: JsonLinesOptions): OutputSink {
  const out = new ByteWriter(options.write)
  const base = splitBase(options.clock)
  const functionFields = perFunction(({ name, symbol, module }) =>
    encode(`,"name":${jsonString(name)},"symbol":${jsonString(symbol)},"module":${jsonString(module)}`),
  )

  function start(type: Uint8Array, timeNs: TraceNs): void {
    out.bytes(type)
    writeAbsoluteNs(out, base, timeNs)
  }

  function threadFields({ pid, tid, stack = 0 }: TracedThread): void {
    out.bytes(keyPid)
    out.integer(pid)
    out.bytes(keyTid)
    out.integer(tid)
    if (stack === 0) return
    out.bytes(keyStack)
    out.integer(stack)
  }

  function callFields(call: Call, cpu: number): void {
    threadFields(call.thread)
    out.bytes(keyCpu)
    out.integer(cpu)
    out.bytes(keyDepth)
    out.integer(call.depth)
    out.bytes(functionFields(call.fn))
    const { weight = 1 } = call
    if (weight === 1) return
    out.bytes(keyWeight)
    out.integer(weight)
  }

  function count(key: Uint8Array, number: number): void {
    if (number === 0) return
    out.bytes(key)
    out.integer(number)
  }

  return {
    begin: (call) => {
      start(typeBegin, call.beginNs)
      callFields(call, call.beginCpu)
      out.bytes(call.isInherited ? inheritedClose : close)
      out.endLine()
    },
    end: (call) => {
      start(typeEnd, call.endNs)
      callFields(call, call.endCpu)
      out.bytes(keyDuration)
      out.integer(durationNs(call))
      out.bytes(keyRawDuration)
      out.integer(rawDurationNs(call))
      const off = offCpuNs(call)
      if (off > 0) {
        out.bytes(keyOffCpu)
        out.integer(off)
      }
      count(keyPageFaults, pageFaults(call))
      count(keyMigrations, migrations(call))
      if (call.waitedNs !== undefined && call.waitedNs > 0) {
        out.bytes(keyWaited)
        out.integer(call.waitedNs)
      }
      out.bytes(howTail[call.how])
      out.endLine()
    },
    lost: (loss) => {
      start(typeLost, loss.timeNs)
      out.bytes(keyCpu)
      out.integer(loss.cpu)
      out.bytes(keyCount)
      out.integer(loss.count)
      out.bytes(close)
      out.endLine()
    },
    note: (note) => {
      start(typeNote, note.timeNs)
      if (note.thread !== undefined) threadFields(note.thread)
      out.bytes(encode(`,"text":${jsonString(note.text)}}`))
      out.endLine()
    },
    tick: () => {},
    flush: () => out.flush(),
    finish: () => out.flush(),
  }
}
