import { readFileSync } from 'node:fs'

/** What a thread calls itself: `/proc/PID/task/TID/comm` (proc(5)); undefined once it is gone. */
export function threadName(pid: number, tid: number): string | undefined {
  return readName(`/proc/${pid}/task/${tid}/comm`)
}

/** What a process's first thread calls itself; undefined once it is gone. */
export function processName(pid: number): string | undefined {
  return readName(`/proc/${pid}/comm`)
}

/** The words of a process's command line; none once it is gone. */
export function processWords(pid: number): readonly string[] {
  return readName(`/proc/${pid}/cmdline`)?.split('\0').slice(0, -1) ?? []
}

function readName(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').replace(/\n$/, '')
  } catch {
    return undefined
  }
}
