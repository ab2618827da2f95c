import { closeSync } from 'node:fs'
import type { Pid } from '../base/units.ts'
import { checked, declare, errnoCodes, lastErrno } from './libc.ts'

const prlimit = declare('int prlimit(int pid, int resource, const void *limit, void *old)')
const personality = declare('int personality(ulong persona)')

const pidfdOpen = declare('long syscall(long number, int pid, uint flags)')
const pidfdGetfd = declare('long syscall(long number, int pidfd, int fd, uint flags)')
const syscallNumberPidfdOpen = 434
const syscallNumberPidfdGetfd = 438

const resourceOpenFiles = 7
const addressNoRandomize = 0x0040000
const queryPersonality = 0xffffffff

/** Sets the soft limit of open files of a process; its hard limit stays. @throws SystemCallError */
export function setOpenFilesLimit(pid: Pid, soft: number): void {
  const limits = Buffer.alloc(16)
  checked('prlimit', prlimit(pid, resourceOpenFiles, null, limits))
  limits.writeBigUInt64LE(BigInt(soft), 0)
  checked('prlimit', prlimit(pid, resourceOpenFiles, limits, null))
}

/** Runs something whose child processes get the same addresses at every run, and undoes that for this process. */
export function withoutAddressRandomization<Result>(run: () => Result): Result {
  const before = checked('personality', personality(queryPersonality))
  checked('personality', personality(before | addressNoRandomize))
  try {
    return run()
  } finally {
    personality(before)
  }
}

/**
 * Descriptors of this process for what another one has open under these: copies, as dup(2) makes them (Linux 5.6).
 * @throws SystemCallError, and then has made none
 */
export function copyDescriptors(pid: Pid, descriptors: readonly number[]): number[] {
  const process = checked('pidfd_open', pidfdOpen(syscallNumberPidfdOpen, pid, 0))
  const copies: number[] = []
  try {
    for (const descriptor of descriptors) {
      copies.push(checked('pidfd_getfd', pidfdGetfd(syscallNumberPidfdGetfd, process, descriptor, 0)))
    }
    return copies
  } catch (error) {
    for (const copy of copies) closeSync(copy)
    throw error
  } finally {
    closeSync(process)
  }
}

const syscallWithoutArguments = declare('long syscall(long number)')
const syscallNumberUprobe = 336

/**
 * Whether this kernel replaces probed nops of five bytes by calls (Linux 6.18): these end in a system call of its own,
 * which answers ENXIO to whoever else makes it.
 */
export function kernelOptimisesNops(): boolean {
  return syscallWithoutArguments(syscallNumberUprobe) < 0 && lastErrno() === errnoCodes.ENXIO
}
