import { readFileSync, readlinkSync } from 'node:fs'
import { UserError } from '../base/errors.ts'
import type { Pid } from '../base/units.ts'
import { processOfThread, processState } from './process.ts'

/** The initial PID namespace's inode (PROC_PID_INIT_INO, include/linux/proc_ns.h): ids in events are its ids. */
const initialPidNamespace = 'pid:[4026531836]'

/** @throws UserError if process ids mean something else here than in the kernel's reports */
export function checkPidNamespace(): void {
  if (readlinkSync('/proc/self/ns/pid') === initialPidNamespace) return
  throw new UserError(
    'cannot trace from inside a PID namespace: run utrace on the host, or in a container started with --pid=host',
  )
}

/** @throws UserError if there is no such process, or one without a program to trace */
export function checkProcess(pid: Pid): void {
  const state = processState(pid)
  if (state === undefined) throw new UserError(`no process ${pid}: it has ended or never was (see ps -e)`)
  if (state === 'Z') throw new UserError(`process ${pid} has ended: it only waits for its parent to notice`)
  const leader = processOfThread(pid)
  if (leader !== undefined && leader !== pid) {
    throw new UserError(
      `${pid} is a thread of process ${leader}: trace it with -p ${leader} --tid-filter ${pid}`,
    )
  }
  try {
    readlinkSync(`/proc/${pid}/exe`)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'EACCES' || code === 'EPERM') {
      throw new UserError(`cannot trace process ${pid}: not permitted: run with sudo`, { cause })
    }
    throw new UserError(`process ${pid} (${commandName(pid)}) is a kernel thread: it runs no program`, {
      cause,
    })
  }
}

function commandName(pid: Pid): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return '?'
  }
}
