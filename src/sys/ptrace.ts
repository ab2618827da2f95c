import type { Tid } from '../base/units.ts'
import { checked, declare } from './libc.ts'

const ptrace = declare('long ptrace(long request, int tid, void *address, void *data)')
const waitpid = declare('int waitpid(int tid, void *status, int options)')

const requestSeize = 0x4206
const requestInterrupt = 0x4207
const requestDetach = 17
const optionNoHang = 1
const optionAllChildren = 0x40000000

const stopWaitMs = 100

/**
 * Stops a thread for as long as `act` runs, in a way that neither it nor its parent can mistake for job control.
 * @returns whether it could be stopped: not if somebody else traces it, if it has ended, or sleeps uninterruptibly
 */
export function whileStopped(tid: Tid, act: () => void): boolean {
  try {
    checked('ptrace', ptrace(requestSeize, tid, null, null))
  } catch {
    return false
  }
  try {
    checked('ptrace', ptrace(requestInterrupt, tid, null, null))
    if (!waitForStop(tid)) return false
    act()
    return true
  } finally {
    ptrace(requestDetach, tid, null, null)
  }
}

function waitForStop(tid: Tid): boolean {
  const status = Buffer.alloc(4)
  const giveUpAt = performance.now() + stopWaitMs
  do {
    const result = checked('waitpid', waitpid(tid, status, optionNoHang | optionAllChildren))
    if (result === tid) return (status.readUInt32LE() & 0xff) === 0x7f
  } while (performance.now() < giveUpAt)
  return false
}
