import { asPid, asTid } from '../../src/base/units.ts'
import type { TracedThread } from '../../src/trace/call.ts'

const threads = new Map<string, TracedThread>()

/** One object for each thread: identity is what tells threads, and the stacks of a thread, apart. */
export function tracedThread(tid: number, pid = 1): TracedThread {
  const key = `${pid}/${tid}`
  let thread = threads.get(key)
  if (thread === undefined) {
    thread = { tid: asTid(tid), pid: asPid(pid) }
    threads.set(key, thread)
  }
  return thread
}
