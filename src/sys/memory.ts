import koffi from 'koffi'
import { declare, SystemCallError } from './libc.ts'

const mmap = declare(
  'intptr_t mmap(void *address, size_t length, int protection, int flags, int fd, long offset)',
)

const madvise = declare('int madvise(intptr_t address, size_t length, int advice)')

const adviceDontFork = 10
const protRead = 1
const protWrite = 2
const mapShared = 1

/**
 * Maps part of a file descriptor's memory for the rest of this process's life.
 * @returns the mapped bytes themselves, not a copy.
 */
export function mapSharedMemory(
  fd: number,
  offset: number,
  length: number,
  access: 'read' | 'write',
): ArrayBuffer {
  const protection = access === 'write' ? protRead | protWrite : protRead
  const address = Number(mmap(null, length, protection, mapShared, fd, offset))
  if (address === -1) throw new SystemCallError('mmap', koffi.errno())
  // Programs that are started from here have no use for it, and copying the mapping would delay them.
  madvise(address, length, adviceDontFork)
  return koffi.view(address, length)
}
