import type { TraceNs } from '../base/units.ts'
import type { TraceSink } from '../trace/call.ts'

/**
 * A trace sink that writes bytes. They are buffered: `flush` is what makes them visible. What the chunk writer
 * throws (a closed pipe) comes out of whichever method handed it bytes.
 */
export interface OutputSink extends TraceSink {
  /**
   * Time has passed: shows calls that have been open for long and were held back only because their first child
   * or their end was awaited. To be called every few tens of milliseconds, before `flush`.
   */
  tick(now: TraceNs): void
  /** Hands everything written so far to the chunk writer. */
  flush(): void
  /** The trace is over: every call had its `end`. Writes what is still held back, and flushes. */
  finish(): void
}
