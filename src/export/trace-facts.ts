import type { TracedThread } from '../trace/call.ts'
import type { TraceClock } from '../trace/clock.ts'

/** What is known of a trace beside its events. Names come from the target: not yet escaped. */
export interface TraceFacts {
  readonly clock: TraceClock
  /** What was traced, for people: the command line. */
  readonly title: string
  /** Wall-clock time of trace time 0, in nanoseconds since 1970 (UTC). */
  readonly startUnixNs?: bigint
  processName(pid: number): string | undefined
  threadName(thread: TracedThread): string | undefined
}

/** `lua (812)`, or `process 812` where its name is not known. */
export function processLabel(facts: TraceFacts, pid: number): string {
  const name = facts.processName(pid)
  return name === undefined ? `process ${pid}` : `${name} (${pid})`
}

/** `worker (813)`, or `thread 813` where its name is not known. */
export function threadLabel(facts: TraceFacts, thread: TracedThread): string {
  const name = facts.threadName(thread)
  return name === undefined ? `thread ${thread.tid}` : `${name} (${thread.tid})`
}
