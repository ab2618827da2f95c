import type { EventConsumer } from '../base/event.ts'
import type { DurationNs, Pid, Tid, TraceNs } from '../base/units.ts'
import type { RecordedTrace } from '../recording/recorder.ts'
import type { StartOptions } from '../target/start.ts'
import type { TraceSink } from '../trace/call.ts'
import type { PlanOptions } from './plan-process.ts'
import type { Selection } from './selection.ts'

export type SessionTarget =
  | ({ readonly kind: 'command' } & StartOptions)
  | { readonly kind: 'process'; readonly pid: Pid }

/** Where the trace goes: a sink that may hold output back until it is told that time has passed. */
export interface SessionSink extends TraceSink {
  /**
   * @param seenUntil every event up to then was handed on
   * @param overheadNsOf what probes have cost a thread up to now
   */
  tick(seenUntil: TraceNs, overheadNsOf: (tid: Tid) => number): void
  flush(): void
}

export interface SessionOptions extends PlanOptions {
  readonly target: SessionTarget
  readonly selection: Selection
  /** Bytes of each CPU's ring buffer; undefined: by the number of CPUs. */
  readonly bufferBytes: number | undefined
  /** Threads whose calls alone are wanted; empty: all. */
  readonly threads: readonly Tid[]
  /** Whether child processes are traced too. */
  readonly followForks: boolean
  /** Whether the target waits rather than that an event is lost. */
  readonly lossless: boolean
  /** Tracing ends after so many calls, and so many milliseconds; undefined: when the target ends. */
  readonly maxCalls: number | undefined
  readonly maxDurationMs: number | undefined
  /** One call in so many is drawn, and traced with those below it; undefined: all are traced. */
  readonly sampleInterval: number | undefined
  /** Calls with so many others around them are not wanted: the kernel need not report all of them; undefined: all are. */
  readonly depthLimit: number | undefined
  /** Calls that take less are not wanted, as far as the kernel can tell; undefined: all are. */
  readonly durationMinNs: DurationNs | undefined
  readonly sumUp?: SummingUp
  /** The share of the time that probes may cost the target, of 1; undefined: as much as they need. */
  readonly budget: number | undefined
  /** Told what the user should know at once. */
  readonly warn: (text: string) => void
  /** Whether the cost of probes is measured and taken off durations. */
  readonly compensate: boolean
  /** Whether the time is reported that threads are off their CPUs. */
  readonly cpuTime: boolean
  /** Told what has just been done: for people who want to know where start-up time goes. */
  readonly log: (done: string) => void
}

/** Calls that are summed up in the kernel instead of being reported one by one: `utrace stat`. */
export interface SummingUp {
  /** They are reported as well, with the same times: for tests. */
  readonly alsoTrace: boolean
}

/** Makes what takes every event before its call is rebuilt: a recorder. */
export type EventTap = (trace: RecordedTrace) => EventConsumer
