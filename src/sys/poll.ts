import { writeSync } from 'node:fs'
import { checked, declare } from './libc.ts'

const poll = declare('int poll(void *fds, ulong count, int timeoutMs)')
const eventfd = declare('int eventfd(uint value, int flags)')

const readable = 1
/** struct pollfd: s32 fd, s16 events, s16 revents */
const pollBytes = 8
const closeOnExec = 0o2000000

/**
 * Waits, on another thread, until one of some file descriptors is readable.
 * @returns whether one is; false after the time, if one is given
 */
export function waitReadable(fds: readonly number[], timeoutMs = -1): Promise<boolean> {
  const descriptors = pollDescriptors(fds)
  const isReadable = (_: number, index: number) =>
    (descriptors.readInt16LE(index * pollBytes + 6) & readable) !== 0
  return new Promise((resolve, reject) => {
    poll.async(descriptors, fds.length, timeoutMs, (error: unknown, count: number) => {
      if (error) reject(error)
      else resolve(count > 0 && fds.some(isReadable))
    })
  })
}

/** Waits until a file descriptor is readable, and keeps this thread from doing anything else meanwhile. */
export function blockUntilReadable(fd: number, timeoutMs: number): void {
  poll(pollDescriptors([fd]), 1, timeoutMs)
}

function pollDescriptors(fds: readonly number[]): Buffer {
  const descriptors = Buffer.alloc(pollBytes * fds.length)
  for (const [index, fd] of fds.entries()) {
    descriptors.writeInt32LE(fd, index * pollBytes)
    descriptors.writeInt16LE(readable, index * pollBytes + 4)
  }
  return descriptors
}

/** A file descriptor that is readable for good once `wake` has been called: it ends a wait on another thread. */
export function openWakeUp(): { readonly fd: number; wake(): void } {
  const fd = checked('eventfd', eventfd(0, closeOnExec))
  return { fd, wake: () => void writeSync(fd, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0)) }
}
