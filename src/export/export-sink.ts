import type { ChunkWriter } from '../sink/byte-writer.ts'
import type { TraceSink } from '../trace/call.ts'
import type { TraceFacts } from './trace-facts.ts'

/**
 * A trace sink that writes a file: bytes go to its chunk writer as they come about, the last ones at
 * `finish`.
 */
export interface ExportSink extends TraceSink {
  /** The trace is over: every call had its `end`. */
  finish(): void
}

/** What every exporter takes. */
export interface ExportTarget {
  readonly write: ChunkWriter
  readonly facts: TraceFacts
}
