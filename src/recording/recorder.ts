import { messageOf } from '../base/errors.ts'
import { type EventConsumer, type EventKind, eventKind, isCallEvent } from '../base/event.ts'
import { asTraceNs, type TraceNs } from '../base/units.ts'
import type { Note } from '../trace/call.ts'
import type { FunctionRecord, FunctionTable } from '../trace/functions.ts'
import { ChunkWriter } from './chunk-writer.ts'
import { EventEncoder } from './event-encoder.ts'
import { chunkType, encodeFileHeader, firstSequence } from './format.ts'
import { originToJson } from './json-facts.ts'
import type { RecordedModule, RecordingEnd, RecordingOrigin } from './recording.ts'
import type { RecordingFile } from './recording-file.ts'
import { type TaskNames, TaskTable } from './task-table.ts'

/** What the recorder must know of the trace that it records. */
export interface RecordedTrace {
  /** May grow. */
  readonly functions: FunctionTable
  /** The process of a thread that is seen for the first time. */
  readonly pidOf: (tid: number) => number
  /** Hands on events that rebuild the calls that are open now: see `Reconstruction.describeState`. */
  describeState(consumer: EventConsumer): void
}

export interface RecorderOptions {
  readonly file: RecordingFile
  readonly origin: RecordingOrigin
  readonly taskNames: TaskNames
  /** Told once, with the reason, when nothing more can be recorded. */
  readonly onStop: (reason: string) => void
}

const chunkBytes = 256 * 1024
const smallestChunkBytes = 4096
/** A recording that is cut by SIGKILL lacks no more than this. */
const longestDelayMs = 1_000
/** States take at most one part in so many of the file. */
const stateShare = 8
const noFunction = 0x7fff_ffff

/**
 * Writes the events of a trace into a file, as they come. Only functions that were called get into the file, in the
 * order of their first call, which numbers them anew.
 */
export class Recorder implements EventConsumer {
  readonly #options: RecorderOptions
  readonly #file: RecordingFile
  readonly #trace: RecordedTrace
  readonly #encoder: EventEncoder
  readonly #stateEncoder: EventEncoder
  readonly #tasks: TaskTable
  /** 1 + the number in the file of each function of the trace, or 0. */
  #numbers = new Int32Array(1024)
  readonly #functions: number[] = []
  #functionsWritten = 0
  #modules: readonly RecordedModule[] = []
  #chunks: ChunkWriter
  /** Payloads and event counts that rebuild the open calls before the chunk being filled. */
  #state: { readonly payload: Uint8Array; readonly count: number }[] | undefined
  #stateDue = false
  #stateBytes = 0
  #bytesSinceState = 0
  #lastWriteMs = 0
  /** Of what is in the file. */
  #lastNs = asTraceNs(0)
  #stopped: string | undefined

  constructor(options: RecorderOptions, trace: RecordedTrace) {
    this.#options = options
    this.#file = options.file
    this.#trace = trace
    this.#tasks = new TaskTable(trace.pidOf, options.taskNames)
    const pidOf = (tid: number) => this.#tasks.pidOf(tid)
    const capacity = Math.max(smallestChunkBytes, Math.min(chunkBytes, options.file.comfortableChunkBytes))
    this.#encoder = new EventEncoder(capacity, pidOf)
    this.#stateEncoder = new EventEncoder(capacity, pidOf)
    this.#chunks = new ChunkWriter((chunk) => this.#file.append(chunk), firstSequence)
    this.#guard(() => this.#begin())
  }

  /** Why nothing more is recorded; undefined as long as it is. */
  get stopped(): string | undefined {
    return this.#stopped
  }

  event(time: TraceNs, stack: number, tid: number, kind: EventKind, functionId: number, cpu: number): void {
    if (this.#stopped !== undefined) return
    if (this.#encoder.count === 0 || this.#encoder.full) this.#startChunk()
    if (isCallEvent(kind)) {
      this.#encoder.event(time, stack, tid, kind, this.#numberOf(functionId), cpu)
      return
    }
    if (kind === eventKind.fork) this.#tasks.born(stack, functionId === 1 ? this.#tasks.pidOf(tid) : stack)
    this.#encoder.event(time, stack, tid, kind, this.#fieldOf(kind, functionId), cpu)
    if (kind === eventKind.threadExit) this.#tasks.ended(tid)
  }

  note(note: Note): void {
    this.#guard(() => {
      this.#flush()
      const { timeNs, text, thread } = note
      this.#chunks.json(chunkType.note, { timeNs, text, ...(thread && { tid: thread.tid, pid: thread.pid }) })
    })
  }

  /** Replaces the list of modules. */
  modules(modules: readonly RecordedModule[]): void {
    this.#modules = modules
    this.#guard(() => this.#chunks.json(chunkType.modules, modules))
  }

  /** To be called every now and then: what is long in memory is written. */
  tick(): void {
    if (this.#encoder.count > 0 && performance.now() - this.#lastWriteMs > longestDelayMs) {
      this.#guard(() => this.#flush())
    }
  }

  /** Writes what is left and closes the file. @throws UserError when the parts of a ring could not be joined */
  finish(end: RecordingEnd): void {
    this.#guard(() => this.#flush())
    const { statistics: _, ...rest } = end
    // What came after is not known: calls that are open are no longer than what was recorded of them.
    const ending =
      this.#stopped === undefined ? end : { ...rest, endNs: this.#lastNs, stopped: this.#stopped }
    try {
      this.#chunks.json(chunkType.end, ending)
    } catch (error) {
      // Without it the recording counts as cut: that the disk is full has been said before.
      if (this.#stopped === undefined) throw error
    }
    this.#file.finish()
  }

  #begin(): void {
    this.#file.append(encodeFileHeader())
    this.#chunks.json(chunkType.origin, originToJson(this.#options.origin))
    this.#file.beginsHere()
    if (this.#modules.length > 0) this.#chunks.json(chunkType.modules, this.#modules)
    this.#lastWriteMs = performance.now()
  }

  /** The older half of a ring is given up: what remains must be readable alone. */
  #rotate(): void {
    this.#file.rotate()
    // The joined file leaves the second description of its origin out.
    this.#chunks = new ChunkWriter((chunk) => this.#file.append(chunk), this.#chunks.sequence - 1)
    this.#functionsWritten = 0
    this.#tasks.writeAllAgain()
    this.#begin()
    this.#stateDue = true
  }

  #startChunk(): void {
    this.#guard(() => {
      this.#flush()
      if (this.#file.wantsRotation) this.#rotate()
      if (this.#stateDue || this.#bytesSinceState > stateShare * this.#stateBytes) this.#captureState()
    })
  }

  /** The calls that are open now. They can be many: the state may take more than one chunk. */
  #captureState(): void {
    const parts: { payload: Uint8Array; count: number }[] = []
    const encoder = this.#stateEncoder
    encoder.reset()
    const take = () => {
      parts.push({ payload: encoder.payload.slice(), count: encoder.count })
      encoder.reset()
    }
    this.#trace.describeState({
      event: (time, stack, tid, kind, functionId, cpu) => {
        if (encoder.full) take()
        encoder.event(time, stack, tid, kind, this.#fieldOf(kind, functionId), cpu)
      },
    })
    take()
    this.#state = parts
    this.#stateBytes = parts.reduce((sum, { payload }) => sum + payload.length, 0)
    this.#bytesSinceState = 0
    this.#stateDue = false
  }

  #flush(): void {
    const encoder = this.#encoder
    if (encoder.count === 0) return
    const { payload, count } = encoder
    const isTimed = encoder.minNs <= encoder.maxNs
    const { minNs, maxNs } = isTimed ? encoder : { minNs: this.#lastNs, maxNs: this.#lastNs }
    this.#file.makeRoom(payload.length)
    this.#writeFunctions()
    const tasks = this.#tasks.news()
    if (tasks !== undefined) this.#chunks.json(chunkType.tasks, tasks)
    for (const part of this.#state ?? []) {
      this.#chunks.events(chunkType.state, part.payload, { count: part.count, minNs: 0, maxNs: 0 })
    }
    this.#chunks.events(chunkType.events, payload, { count, minNs, maxNs })
    this.#lastNs = asTraceNs(Math.max(this.#lastNs, maxNs))
    this.#bytesSinceState += payload.length
    this.#state = undefined
    this.#lastWriteMs = performance.now()
    encoder.reset()
  }

  #writeFunctions(): void {
    const first = this.#functionsWritten
    if (first === this.#functions.length) return
    const records = this.#functions.slice(first).map((id): FunctionRecord => this.#trace.functions[id]!)
    this.#chunks.json(chunkType.functions, { first, records })
    this.#functionsWritten = this.#functions.length
  }

  /** Some kinds of event have something else where others have their function. */
  #fieldOf(kind: EventKind, functionId: number): number {
    return namesFunction(kind) ? this.#numberOf(functionId) : functionId
  }

  /** A number that is no function's stays none. */
  #numberOf(functionId: number): number {
    if (functionId >= this.#trace.functions.length) return noFunction
    const known = this.#numbers[functionId]
    if (known !== undefined && known > 0) return known - 1
    if (functionId >= this.#numbers.length) {
      const larger = new Int32Array(functionId * 2)
      larger.set(this.#numbers)
      this.#numbers = larger
    }
    this.#functions.push(functionId)
    this.#numbers[functionId] = this.#functions.length
    return this.#functions.length - 1
  }

  /** Runs what writes. What fails, or finds the file full, ends the recording: the trace goes on. */
  #guard(write: () => void): void {
    if (this.#stopped !== undefined) return
    try {
      write()
    } catch (error) {
      this.#stopped = messageOf(error)
      this.#options.onStop(this.#stopped)
    }
  }
}

/** Whether the function id of such an event is one. */
export function namesFunction(kind: EventKind): boolean {
  return isCallEvent(kind) || kind === eventKind.unwound || kind === eventKind.exitsProbed
}
