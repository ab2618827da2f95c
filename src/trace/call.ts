import type { DurationNs, Pid, Tid, TraceNs, VirtualAddress } from '../base/units.ts'

/** What a function id in an event stands for. Built once per traced function; immutable. */
export interface TracedFunction {
  /** Index in the function table, and the attach cookie of its probes. */
  readonly id: number
  /** Demangled name with its arguments, as the target's symbol table tells it: not yet escaped. */
  readonly name: string
  /** Linkage name. */
  readonly symbol: string
  /** Name of the module it lives in: `libc.so.6`, `lua`. */
  readonly module: string
  /** A function of a traced module, or a call from the main executable into a library. */
  readonly kind: 'function' | 'library-call'
  /** In its module's own address space, as linked; recordings may lack it. */
  readonly address?: VirtualAddress
}

/** How a call came to its end. */
export type CallEnd =
  /** Its own return was seen. */
  | 'return'
  /** An exception, `longjmp` or thread exit took the frame away. */
  | 'unwound'
  /** Its return was not seen; a later event proves that it is over, and when at the latest. */
  | 'inferred'
  /** Still open when tracing or the thread ended. */
  | 'cut'

/** A thread that has called a traced function. */
export interface TracedThread {
  readonly tid: Tid
  readonly pid: Pid
  /**
   * Number of the stack that it runs on, if it switches between several: each has a tree of its own, and a
   * `TracedThread` object of its own, which tells them apart. The first one is 0, as is absent.
   */
  readonly stack?: number
}

/**
 * One call. The reconstruction owns and reuses it: a sink reads it during the callback and keeps nothing of it.
 */
export interface Call {
  readonly fn: TracedFunction
  readonly thread: TracedThread
  /** Number of open traced calls above it in its thread: 0 for an outermost call. */
  readonly depth: number
  readonly beginNs: TraceNs
  readonly beginCpu: number
  /** The following are set at the call's end. */
  readonly endNs: TraceNs
  readonly endCpu: number
  readonly how: CallEnd
  /** Nanoseconds in which the thread was held up by utrace: not the program's. Absent: 0. */
  readonly waitedNs?: number
  /** How long it took the program: what was measured without what probes took. Absent where nothing is taken off. */
  readonly durationNs?: DurationNs
  /** What probes had cost its thread in all when it began, and when it ended. */
  readonly beginOverheadNs?: number
  readonly endOverheadNs?: number
  /** How long its thread had been off CPU in all when it began, and when it ended. */
  readonly beginOffCpuNs?: number
  readonly endOffCpuNs?: number
  /** How many page faults its thread had had in all when it began, and when it ended. */
  readonly beginPageFaults?: number
  readonly endPageFaults?: number
  /** How often its thread had gone on on another CPU. */
  readonly beginMigrations?: number
  readonly endMigrations?: number
  /** It began in the parent process, before the fork: `beginNs` is when the child did. */
  readonly isInherited?: boolean
  /**
   * How many calls it stands for. In a sample of which one call in n is drawn: n if it was drawn, and 0 if it is
   * recorded for lying within one that was. Absent: 1.
   */
  readonly weight?: number
}

/**
 * How long an ended call took the program. Never negative, at most what was measured, and at least the sum of the calls
 * that it made.
 */
export function durationNs(call: Call): DurationNs {
  return call.durationNs ?? rawDurationNs(call)
}

/** What was measured of an ended call: `endNs - beginNs`, with the cost of the probes that lie between. */
export function rawDurationNs(call: Call): DurationNs {
  return (call.endNs - call.beginNs) as DurationNs
}

/** For how much of an ended call its thread was off CPU: it waited, or others ran. 0 where that was not traced. */
export function offCpuNs({ beginOffCpuNs = 0, endOffCpuNs = 0 }: Call): DurationNs {
  return (endOffCpuNs - beginOffCpuNs) as DurationNs
}

/** How many page faults an ended call has had, what it called included. 0 where that was not traced. */
export function pageFaults({ beginPageFaults = 0, endPageFaults = 0 }: Call): number {
  return endPageFaults - beginPageFaults
}

/** How often the thread of an ended call has gone on on another CPU. 0 where that was not traced. */
export function migrations({ beginMigrations = 0, endMigrations = 0 }: Call): number {
  return endMigrations - beginMigrations
}

/** Events that never reached the reader: known by their number, not by their content. */
export interface Loss {
  readonly timeNs: TraceNs
  readonly cpu: number
  /** Number of events (not calls). */
  readonly count: number
}

/** Something that the reader of a trace should know, at its place in time. */
export interface Note {
  readonly timeNs: TraceNs
  readonly thread?: TracedThread
  /** One line, unescaped. */
  readonly text: string
}

/**
 * Where a trace goes. The engine that rebuilds calls knows no output format: it drives this interface.
 * For each thread `begin` and `end` nest properly, and every `begin` gets its `end`.
 */
export interface TraceSink {
  begin(call: Call): void
  end(call: Call): void
  lost(loss: Loss): void
  note(note: Note): void
}
