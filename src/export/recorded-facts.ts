import type { Recording } from '../recording/recording.ts'
import type { TraceFacts } from './trace-facts.ts'

/** What a recording tells of its trace. */
export function recordedFacts({ clock, origin, processes, threads }: Recording): TraceFacts {
  const processNames = new Map(processes.map(({ pid, name }) => [pid, name]))
  const threadNames = new Map(threads.map(({ pid, tid, name }) => [`${pid} ${tid}`, name]))
  const { target } = origin
  return {
    clock,
    title: target.words.join(' ') || (target.kind === 'process' ? `process ${target.pid}` : 'utrace'),
    startUnixNs: origin.realtimeBaseNs,
    processName: (pid) => processNames.get(pid) || undefined,
    threadName: ({ pid, tid }) => threadNames.get(`${pid} ${tid}`) || undefined,
  }
}
