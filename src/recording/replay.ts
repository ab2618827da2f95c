import type { EventConsumer } from '../base/event.ts'
import { asPid, asTid, asTraceNs, type TraceNs } from '../base/units.ts'
import type { TraceSink } from '../trace/call.ts'
import type { ProbeCosts } from '../trace/probe-costs.ts'
import { Reconstruction, type TraceStatistics } from '../trace/reconstruct.ts'
import { type TimeRange, withTimeRange } from '../trace/time-range.ts'
import { EventCodeError, EventDecoder } from './event-decoder.ts'
import { PayloadReader } from './payload.ts'
import type {
  EventChunk,
  RecordedNote,
  Recording,
  ReplayOptions,
  ReplayResult,
  StoredPayload,
} from './recording.ts'

/**
 * Drives a sink as the live trace did: the same calls in the same order. Memory does not grow with the recording.
 * With a range of time, only the parts of the file that matter are read.
 */
export function replayRecording(
  recording: Recording,
  sink: TraceSink,
  options: ReplayOptions = {},
): ReplayResult {
  const probeCosts = options.rawTimes ? undefined : recording.origin.probeCosts
  if (options.from === undefined && options.to === undefined) return replayAll(recording, sink, probeCosts)
  const from = options.from ?? asTraceNs(0)
  const to = options.to ?? asTraceNs(Number.MAX_SAFE_INTEGER)
  return replayRange(recording, sink, { from, to }, probeCosts)
}

function replayAll(recording: Recording, sink: TraceSink, probeCosts: ProbeCosts | undefined): ReplayResult {
  const replay = new Replay(recording, sink, probeCosts)
  replay.run(0, recording.chunks.length)
  const endNs = replay.complete ? (recording.end?.endNs ?? replay.lastNs) : replay.lastNs
  replay.engine.finish(endNs)
  return { statistics: replay.engine.statistics, endNs, warnings: replay.warnings }
}

function replayRange(
  recording: Recording,
  sink: TraceSink,
  range: TimeRange,
  probeCosts: ProbeCosts | undefined,
): ReplayResult {
  const counted = countingSink(sink)
  const filter = withTimeRange(counted.sink, range)
  const replay = new Replay(recording, filter, probeCosts)
  const stop = firstChunkAfter(recording.chunks, range.to)
  replay.run(lastStartBefore(recording.chunks.slice(0, stop), range.from), stop)
  const isWhole = replay.complete && stop === recording.chunks.length
  const lastNs = isWhole ? (recording.end?.endNs ?? replay.lastNs) : replay.lastNs
  const goesOn = replay.complete && stop < recording.chunks.length
  // Calls that go on beyond the range are cut where it ends.
  replay.engine.finish(goesOn ? asTraceNs(Number.MAX_SAFE_INTEGER) : lastNs)
  counted.finishing()
  filter.finish()
  const endNs = goesOn ? range.to : asTraceNs(Math.min(range.to, lastNs))
  return { statistics: counted.statistics(), endNs, warnings: replay.warnings }
}

/** The last chunk where reading can begin so that everything from `from` on is seen. */
function lastStartBefore(chunks: readonly EventChunk[], from: TraceNs): number {
  let start = 0
  for (const [index, { header, state }] of chunks.entries()) {
    if (state !== undefined) start = index
    if (header.maxNs >= from) break
  }
  return start
}

/** Chunks from this one on hold only what came after `to`. */
function firstChunkAfter(chunks: readonly EventChunk[], to: TraceNs): number {
  let stop = chunks.length
  while (stop > 0 && chunks[stop - 1]!.header.minNs > to) stop--
  return stop
}

/** Reads events of a recording and rebuilds their calls. */
class Replay {
  readonly engine: Reconstruction
  readonly warnings: string[] = []
  readonly #recording: Recording
  readonly #sink: TraceSink
  readonly #reader: EventReader
  lastNs = asTraceNs(0)
  /** Whether nothing was damaged. */
  complete = true

  constructor(recording: Recording, sink: TraceSink, probeCosts: ProbeCosts | undefined) {
    const pids = new Map<number, number>()
    this.#recording = recording
    this.#sink = sink
    this.engine = new Reconstruction(recording.functions, sink, (tid) => pids.get(tid) ?? 0, { probeCosts })
    this.#reader = new EventReader(recording, (tid, pid) => pids.set(tid, pid))
  }

  run(start: number, stop: number): void {
    const { chunks, sizeBytes, lastNotes } = this.#recording
    for (let index = start; index < stop; index++) {
      const chunk = chunks[index]!
      const state = index === start ? (chunk.state ?? []) : []
      for (const note of chunk.notes) this.#note(note)
      const isWhole =
        state.every((part) => this.#reader.read(part, this.engine)) && this.#reader.read(chunk, this.engine)
      if (isWhole) {
        this.lastNs = asTraceNs(Math.max(this.lastNs, chunk.header.maxNs))
        continue
      }
      this.complete = false
      this.warnings.push(
        `it is damaged at byte ${chunk.offset}: shown up to there, ${sizeBytes - chunk.offset} bytes are left out`,
      )
      return
    }
    for (const note of chunks[stop]?.notes ?? lastNotes) this.#note(note)
  }

  #note({ timeNs, tid, pid, text }: RecordedNote): void {
    const thread = tid === undefined ? {} : { thread: { tid: asTid(tid), pid: asPid(pid ?? 0) } }
    this.#sink.note({ timeNs: asTraceNs(timeNs), text, ...thread })
  }
}

/** Decodes chunks of events, one after the other. */
export class EventReader {
  readonly #payloads: PayloadReader
  readonly #decoder: EventDecoder

  constructor(recording: Recording, threadSeen: (tid: number, pid: number) => void) {
    this.#payloads = new PayloadReader(recording.source)
    this.#decoder = new EventDecoder(recording.functions.length, threadSeen)
  }

  /** @returns whether the chunk is what was written; where it is not, no event of it was handed on unless its checksum is right */
  read(chunk: StoredPayload, consumer: EventConsumer): boolean {
    const payload = this.#payloads.read(chunk)
    if (payload === undefined) return false
    try {
      this.#decoder.decode(payload.bytes, payload.length, chunk.header.eventCount, consumer)
      return true
    } catch (error) {
      if (error instanceof EventCodeError) return false
      throw error
    }
  }
}

/** Counts what passes through. */
function countingSink(inner: TraceSink) {
  const tids = new Set<number>()
  let calls = 0
  let lostEvents = 0
  let openCalls = 0
  let isFinishing = false
  const sink: TraceSink = {
    begin: (call) => {
      calls++
      tids.add(call.thread.tid)
      inner.begin(call)
    },
    end: (call) => {
      if (isFinishing) openCalls++
      inner.end(call)
    },
    lost: (loss) => {
      lostEvents += loss.count
      inner.lost(loss)
    },
    note: (note) => inner.note(note),
  }
  const statistics = (): TraceStatistics => ({ calls, threads: tids.size, lostEvents, openCalls })
  return {
    sink,
    statistics,
    finishing: () => {
      isFinishing = true
    },
  }
}
