import { escapeText } from '../base/escape.ts'
import type { TracedFunction, TracedThread } from '../trace/call.ts'
import type { ExportSink, ExportTarget } from './export-sink.ts'
import * as field from './perfetto-fields.ts'
import { ProtobufMessage } from './protobuf.ts'
import { ThreadStates } from './thread-states.ts'

const flushThreshold = 64 * 1024
/** All packets are of one sequence: interned names are known to all of them. */
const sequenceId = 1
/** Tracks of the whole trace; those of processes and threads follow. */
const remarksTrack = 1
const lostTrack = 2
const rateTrack = 3
const firstFreeTrack = 4
const rateIntervalNs = 10_000_000
const intervalsPerSecond = 1e9 / rateIntervalNs

/**
 * A Perfetto trace (`perfetto.protos.Trace`): one track per thread under its process, with interned names and
 * categories (the module). Times are on a clock of the sequence's own that counts from trace time 0, which a
 * clock snapshot ties to CLOCK_MONOTONIC: so they stay short, and exact at any uptime. Two counters: calls
 * per second (in steps of 10 ms) and events lost so far; each loss is an instant event as well, on the track
 * `utrace` with the notes that belong to no thread. A slice whose end was not seen carries `end: cut`,
 * `inferred` or `unwound`.
 * Source: https://perfetto.dev/docs/reference/trace-packet-proto and
 * https://perfetto.dev/docs/reference/synthetic-track-event
 */
export function createPerfettoExport({ write, facts }: ExportTarget): ExportSink {
  const trace = new ProtobufMessage()
  const packet = new ProtobufMessage()
  const event = new ProtobufMessage()
  const interned = new ProtobufMessage()
  const entry = new ProtobufMessage()
  let nextTrack = firstFreeTrack
  let lostEvents = 0
  const processTracks = new Map<number, number>()
  const threads = new ThreadStates(describeThread)
  const knownFunctions: boolean[] = []
  const categories = new Map<string, number>()
  const rate = { interval: 0, calls: 0 }

  writeClock()
  describe(remarksTrack, (track) => track.string(field.trackDescriptor.name, 'utrace'))
  describe(lostTrack, (track) => counter(track, 'events lost'))
  describe(rateTrack, (track) => counter(track, 'calls per second'))

  function writeClock(): void {
    const own = new ProtobufMessage()
      .integer(field.clock.clockId, field.ownClock)
      .integer(field.clock.timestamp, 0)
    const monotonic = new ProtobufMessage()
      .integer(field.clock.clockId, field.monotonicClock)
      .bigInteger(field.clock.timestamp, facts.clock.baseNs)
    const snapshot = new ProtobufMessage()
      .message(field.clockSnapshot.clocks, own)
      .message(field.clockSnapshot.clocks, monotonic)
      .integer(field.clockSnapshot.primaryTraceClock, field.monotonicClock)
    const defaults = new ProtobufMessage().integer(field.packetDefaults.timestampClockId, field.ownClock)
    packet
      .clear()
      .message(field.packet.clockSnapshot, snapshot)
      .message(field.packet.tracePacketDefaults, defaults)
      .integer(field.packet.firstPacketOnSequence, 1)
    finishPacket(field.sequenceFlags.incrementalStateCleared)
  }

  function describe(uuid: number, fill: (track: ProtobufMessage) => void): void {
    const track = new ProtobufMessage().integer(field.trackDescriptor.uuid, uuid)
    fill(track)
    packet.clear().message(field.packet.trackDescriptor, track)
    finishPacket(field.sequenceFlags.needsIncrementalState)
  }

  function describeThread(thread: TracedThread): number {
    const process = processTracks.get(thread.pid) ?? describeProcess(thread.pid)
    const uuid = nextTrack++
    const descriptor = new ProtobufMessage()
      .integer(field.threadDescriptor.pid, thread.pid)
      .integer(field.threadDescriptor.tid, thread.tid)
    const name = facts.threadName(thread)
    if (name !== undefined) descriptor.string(field.threadDescriptor.threadName, name)
    describe(uuid, (track) =>
      track
        .integer(field.trackDescriptor.parentUuid, process)
        .message(field.trackDescriptor.thread, descriptor),
    )
    return uuid
  }

  function describeProcess(pid: number): number {
    const uuid = nextTrack++
    processTracks.set(pid, uuid)
    const descriptor = new ProtobufMessage()
      .integer(field.processDescriptor.pid, pid)
      .string(field.processDescriptor.processName, facts.processName(pid) ?? `process ${pid}`)
    describe(uuid, (track) => track.message(field.trackDescriptor.process, descriptor))
    return uuid
  }

  function startEvent(type: number, track: number): ProtobufMessage {
    return event.clear().integer(field.trackEvent.type, type).integer(field.trackEvent.trackUuid, track)
  }

  function finishEvent(timeNs: number): void {
    packet.clear().integer(field.packet.timestamp, timeNs).message(field.packet.trackEvent, event)
    if (interned.length > 0) {
      packet.message(field.packet.internedData, interned)
      interned.clear()
    }
    finishPacket(field.sequenceFlags.needsIncrementalState)
  }

  function finishPacket(flags: number): void {
    packet.integer(field.packet.trustedPacketSequenceId, sequenceId)
    packet.integer(field.packet.sequenceFlags, flags)
    trace.message(field.trace.packet, packet)
    if (trace.length >= flushThreshold) flush()
  }

  function flush(): void {
    write(trace.bytes)
    trace.clear()
  }

  /** Interning ids start at 1: 0 means none. Names are interned with the first packet that uses them. */
  function intern(kind: number, iid: number, text: string): void {
    entry.clear().integer(field.internedEntry.iid, iid).string(field.internedEntry.name, text)
    interned.message(kind, entry)
  }

  function category(module: string): number {
    const known = categories.get(module)
    if (known !== undefined) return known
    const iid = categories.size + 1
    categories.set(module, iid)
    intern(field.internedData.eventCategories, iid, module)
    return iid
  }

  function nameAndCategory(fn: TracedFunction): void {
    if (knownFunctions[fn.id] === undefined) {
      knownFunctions[fn.id] = true
      intern(field.internedData.eventNames, fn.id + 1, fn.name)
    }
    event
      .integer(field.trackEvent.nameIid, fn.id + 1)
      .integer(field.trackEvent.categoryIids, category(fn.module))
  }

  function count(track: number, value: number, timeNs: number): void {
    startEvent(field.eventType.counter, track).integer(field.trackEvent.counterValue, value)
    finishEvent(timeNs)
  }

  function countCall(timeNs: number): void {
    const interval = Math.floor(timeNs / rateIntervalNs)
    if (interval > rate.interval) finishRate(interval)
    rate.calls += 1
  }

  function finishRate(next: number): void {
    count(rateTrack, rate.calls * intervalsPerSecond, rate.interval * rateIntervalNs)
    if (next > rate.interval + 1 && rate.calls > 0) count(rateTrack, 0, (rate.interval + 1) * rateIntervalNs)
    rate.interval = next
    rate.calls = 0
  }

  return {
    begin: ({ fn, thread, beginNs }) => {
      countCall(beginNs)
      const track = threads.of(thread)
      startEvent(field.eventType.sliceBegin, track)
      nameAndCategory(fn)
      finishEvent(beginNs)
    },
    end: ({ thread, endNs, how }) => {
      startEvent(field.eventType.sliceEnd, threads.of(thread))
      if (how !== 'return') {
        const annotation = new ProtobufMessage()
          .string(field.debugAnnotation.name, 'end')
          .string(field.debugAnnotation.stringValue, how)
        event.message(field.trackEvent.debugAnnotations, annotation)
      }
      finishEvent(endNs)
    },
    lost: (loss) => {
      lostEvents += loss.count
      count(lostTrack, lostEvents, loss.timeNs)
      const annotation = new ProtobufMessage()
        .string(field.debugAnnotation.name, 'cpu')
        .integer(field.debugAnnotation.uintValue, loss.cpu)
      startEvent(field.eventType.instant, remarksTrack)
        .string(field.trackEvent.name, `${loss.count} events lost`)
        .message(field.trackEvent.debugAnnotations, annotation)
      finishEvent(loss.timeNs)
    },
    note: ({ timeNs, thread, text }) => {
      const track = thread === undefined ? remarksTrack : threads.of(thread)
      startEvent(field.eventType.instant, track).string(field.trackEvent.name, escapeText(text))
      finishEvent(timeNs)
    },
    finish: () => {
      finishRate(rate.interval + 1)
      if (rate.interval > 0) count(rateTrack, 0, rate.interval * rateIntervalNs)
      flush()
    },
  }
}

function counter(track: ProtobufMessage, name: string): void {
  const descriptor = new ProtobufMessage().integer(field.counterDescriptor.unit, field.unitCount)
  track.string(field.trackDescriptor.name, name).message(field.trackDescriptor.counter, descriptor)
}
