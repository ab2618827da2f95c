import type { ByteSource } from '../base/byte-source.ts'
import type { TraceNs } from '../base/units.ts'
import type { TraceClock } from '../trace/clock.ts'
import type { FunctionTable } from '../trace/functions.ts'
import type { ProbeCosts } from '../trace/probe-costs.ts'
import type { TraceStatistics } from '../trace/reconstruct.ts'
import type { ChunkHeader } from './format.ts'

/** Where a recording comes from. Texts are as the target and the machine gave them: not escaped. */
export interface RecordingOrigin {
  readonly utraceVersion: string
  /** The words after `utrace`. */
  readonly commandLine: readonly string[]
  readonly target:
    | { readonly kind: 'command'; readonly words: readonly string[] }
    | { readonly kind: 'process'; readonly pid: number; readonly words: readonly string[] }
  readonly host: string
  /** `uname -r`. */
  readonly kernel: string
  readonly cpuModel: string
  readonly cpus: number
  /** CLOCK_MONOTONIC at trace time 0. */
  readonly clockBaseNs: bigint
  /** Nanoseconds since 1970 (CLOCK_REALTIME) at trace time 0. */
  readonly realtimeBaseNs: bigint
  /** What probes cost; absent where that was not measured: durations are as they were measured then. */
  readonly probeCosts?: ProbeCosts
  /** The options in force, by name. */
  readonly settings: Readonly<Record<string, unknown>>
}

export interface RecordedModule {
  readonly name: string
  readonly path: string
  /** The program itself, not a library of it. */
  readonly isExecutable: boolean
  /** Hexadecimal. */
  readonly buildId?: string
}

/** A process or thread that was seen, by the last name that it was seen to have. */
export interface RecordedThread {
  readonly tid: number
  readonly pid: number
  readonly name: string
}

export interface RecordedProcess {
  readonly pid: number
  readonly name: string
}

/** A function that was asked for and was not traced. */
export interface RecordedUntraced {
  readonly name: string
  readonly reason: string
}

/** What is known only when tracing ends. */
export interface RecordingEnd {
  /** When tracing ended: calls that were open then are cut there. */
  readonly endNs: TraceNs
  /** Absent where recording stopped before tracing did. */
  readonly statistics?: TraceStatistics
  readonly functionsTraced: number
  readonly untraced: readonly RecordedUntraced[]
  /** How the command ended: `exit status 3`, `SIGSEGV`; absent while it runs on. */
  readonly exit?: string
  /** Why recording stopped before tracing did: the size limit, a full disk. */
  readonly stopped?: string
}

/**
 * An opened recording: everything but the events, which stay in the file. `warnings` says in words for people
 * what is missing or damaged; they are to be shown.
 */
export interface Recording {
  readonly path: string
  readonly sizeBytes: number
  readonly version: { readonly major: number; readonly minor: number }
  readonly origin: RecordingOrigin
  readonly clock: TraceClock
  /** Complete: also those of libraries that were loaded later. */
  readonly functions: FunctionTable
  readonly modules: readonly RecordedModule[]
  readonly processes: readonly RecordedProcess[]
  readonly threads: readonly RecordedThread[]
  /** Times of the first and of the last event; both 0 where there is none. */
  readonly firstNs: TraceNs
  readonly lastNs: TraceNs
  /** Entries, exits, losses: what the kernel reported. */
  readonly eventCount: number
  /** Absent in a recording that was cut. */
  readonly end: RecordingEnd | undefined
  readonly warnings: readonly string[]
  /** The bytes of the file, and where its events are. */
  readonly source: ByteSource
  readonly chunks: readonly EventChunk[]
  /** What is to be told after all events. */
  readonly lastNotes: readonly RecordedNote[]
  close(): void
}

/** Where bytes of a recording are, and what they must be. */
export interface StoredPayload {
  readonly offset: number
  readonly header: ChunkHeader
}

/** Some events of a recording. */
export interface EventChunk extends StoredPayload {
  /** What rebuilds the open calls before its first event; undefined where reading cannot begin here. */
  readonly state: readonly StoredPayload[] | undefined
  /** What is to be told before its events. */
  readonly notes: readonly RecordedNote[]
}

export interface RecordedNote {
  readonly timeNs: number
  readonly tid?: number
  readonly pid?: number
  readonly text: string
}

export interface ReplayOptions {
  /** Leave durations as they were measured. */
  readonly rawTimes?: boolean
  /** The first time of interest; by default everything. Both times belong to the range: see `withTimeRange`. */
  readonly from?: TraceNs
  readonly to?: TraceNs
}

export interface ReplayResult {
  /** Of what was replayed. */
  readonly statistics: TraceStatistics
  /** When the replayed part ended. */
  readonly endNs: TraceNs
  /** What turned out to be damaged beyond `Recording.warnings`: to be shown. */
  readonly warnings: readonly string[]
}
