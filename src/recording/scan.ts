import type { ByteSource } from '../base/byte-source.ts'
import type { FunctionRecord } from '../trace/functions.ts'
import {
  type ChunkHeader,
  chunkHeaderBytes,
  chunkType,
  decodeChunkHeader,
  fileHeaderBytes,
  firstSequence,
} from './format.ts'
import {
  FactError,
  readEnd,
  readFunctions,
  readModules,
  readNote,
  readOrigin,
  readTasks,
} from './json-facts.ts'
import { PayloadReader } from './payload.ts'
import type {
  EventChunk,
  RecordedModule,
  RecordedNote,
  RecordingEnd,
  RecordingOrigin,
  StoredPayload,
} from './recording.ts'

/**
 * Walks over the chunks of a recording: reads all but the events, and ends at the first thing that is not as it was
 * written. The headers are the index of the events.
 */
export class RecordingScan {
  readonly #source: ByteSource
  readonly #payloads: PayloadReader
  #state: StoredPayload[] | undefined = []
  /** Those since the last chunk of events. */
  notes: RecordedNote[] = []
  origin: RecordingOrigin | undefined
  readonly functions: FunctionRecord[] = []
  modules: readonly RecordedModule[] = []
  readonly processes = new Map<number, string>()
  readonly threads = new Map<number, { readonly pid: number; readonly name: string }>()
  readonly chunks: EventChunk[] = []
  end: RecordingEnd | undefined
  readonly warnings: string[] = []

  constructor(source: ByteSource) {
    this.#source = source
    this.#payloads = new PayloadReader(source)
  }

  run(): void {
    const { size } = this.#source
    let sequence: number | undefined
    let offset = fileHeaderBytes
    while (offset < size && this.end === undefined) {
      const header = decodeChunkHeader(this.#source.read(offset, chunkHeaderBytes))
      const next = offset + chunkHeaderBytes + (header?.payloadBytes ?? 0)
      const outOfOrder = sequence !== undefined && header?.sequence !== sequence
      if (header === undefined || next > size || outOfOrder) {
        this.#stopAt(offset, header)
        return
      }
      if (sequence === undefined && header.sequence !== firstSequence) {
        this.warnings.push('it is the newest part of a longer trace (--ring): what came before is not in it')
      }
      if (!this.#take({ offset: offset + chunkHeaderBytes, header })) {
        this.#damagedAt(offset)
        return
      }
      sequence = (header.sequence + 1) >>> 0
      offset = next
    }
    if (this.end === undefined) this.#cut()
    else if (offset < size) this.warnings.push(`${size - offset} bytes after its end are left out`)
  }

  /** @returns whether it is what was written */
  #take(chunk: StoredPayload): boolean {
    const { type } = chunk.header
    if (type === chunkType.events) {
      this.chunks.push({ ...chunk, state: this.#state, notes: this.notes })
      this.#state = undefined
      this.notes = []
      return true
    }
    if (type === chunkType.state) {
      this.#state ??= []
      this.#state.push(chunk)
      return true
    }
    if (!jsonTypes.has(type)) return true
    const json = this.#payloads.json(chunk)
    if (json === undefined) return false
    try {
      return this.#learn(type, json.value)
    } catch (error) {
      if (error instanceof FactError) return false
      throw error
    }
  }

  #learn(type: number, value: unknown): boolean {
    switch (type) {
      case chunkType.origin:
        this.origin = readOrigin(value)
        break
      case chunkType.functions: {
        const { first, records } = readFunctions(value)
        if (first > this.functions.length) return false
        for (const record of records) this.functions[record.fn.id] = record
        break
      }
      case chunkType.modules:
        this.modules = readModules(value)
        break
      case chunkType.tasks: {
        const { processes, threads } = readTasks(value)
        for (const { pid, name } of processes) this.processes.set(pid, name)
        for (const { tid, pid, name } of threads) this.threads.set(tid, { pid, name })
        break
      }
      case chunkType.note:
        this.notes.push(readNote(value))
        break
      case chunkType.end:
        this.end = readEnd(value)
        if (this.end.stopped !== undefined) this.warnings.push(`recording stopped early: ${this.end.stopped}`)
    }
    return true
  }

  /** The last chunk is not whole, or what stands in its place is none. */
  #stopAt(offset: number, header: ChunkHeader | undefined): void {
    const { size } = this.#source
    const rest = this.#source.read(offset, chunkHeaderBytes)
    const isCut =
      header !== undefined
        ? offset + chunkHeaderBytes + header.payloadBytes > size
        : rest.length < chunkHeaderBytes
    if (isCut) this.#cut()
    else this.#damagedAt(offset)
  }

  #cut(): void {
    this.warnings.push(
      'it was cut before its end (utrace was killed, or the disk was full): shown up to its last whole part',
    )
  }

  #damagedAt(offset: number): void {
    const left = this.#source.size - offset
    this.warnings.push(`it is damaged at byte ${offset}: shown up to there, ${left} bytes are left out`)
  }
}

const jsonTypes: ReadonlySet<number> = new Set([
  chunkType.origin,
  chunkType.functions,
  chunkType.modules,
  chunkType.tasks,
  chunkType.note,
  chunkType.end,
])
