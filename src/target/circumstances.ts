import { readFileSync } from 'node:fs'
import { constants } from 'node:os'
import type { Pid } from '../base/units.ts'

/** What decides about a process, besides its code, how it may be traced. */
export interface Circumstances {
  /** Its system calls are filtered: seccomp(2). */
  readonly isFiltered: boolean
  /** The CPU keeps a copy of its return addresses and compares them: the user shadow stack of x86. */
  readonly hasShadowStack: boolean
  /** It is a job of an interactive shell, which would take any stop for its user's Ctrl-Z, and the terminal away from it. */
  readonly isShellJob: boolean
  /** It handles SIGCHLD, by which it may be told when one of its children is stopped or continued. */
  readonly watchesChildren: boolean
}

/** @throws NodeJS.ErrnoException if the process is gone */
export function readCircumstances(pid: Pid): Circumstances {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  const own = readJob(pid)
  return {
    ...statusTells(status),
    isShellJob: own.parent !== process.pid && isShellJob(own, () => readJob(own.parent)),
  }
}

/** @param status /proc/PID/status: see proc(5), and Documentation/arch/x86/shstk.rst for the features */
export function statusTells(status: string): Omit<Circumstances, 'isShellJob'> {
  const caught = BigInt(`0x${/^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`)
  return {
    isFiltered: /^Seccomp:\s*[12]$/m.test(status),
    hasShadowStack: /^x86_Thread_features:.*\bshstk\b/m.test(status),
    watchesChildren: ((caught >> BigInt(constants.signals.SIGCHLD - 1)) & 1n) === 1n,
  }
}

/** Its place among the jobs of a terminal: fields 4 to 7 of /proc/PID/stat (proc(5)). */
export interface Job {
  readonly parent: number
  readonly group: number
  readonly session: number
  /** Device number of the controlling terminal, 0 for none. */
  readonly terminal: number
}

/** Shells put each job into a process group of its own, within their session, if they watch over jobs. */
export function isShellJob(own: Job, readParent: () => Job): boolean {
  if (own.terminal === 0 || own.parent <= 1) return false
  const parent = readParent()
  return parent.session === own.session && parent.group !== own.group
}

function readJob(pid: number): Job {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const [, parent, group, session, terminal] = stat
    .slice(stat.lastIndexOf(') ') + 2)
    .split(' ')
    .map(Number)
  return { parent: parent!, group: group!, session: session!, terminal: terminal! }
}
