import { declare } from './libc.ts'

const poll = declare('int poll(void *fds, ulong count, int timeoutMs)')

const readable = 1

/**
 * Waits, on another thread, until a file descriptor is readable.
 * @returns whether it is; false after the time
 */
export function waitReadable(fd: number, timeoutMs: number): Promise<boolean> {
  // struct pollfd: s32 fd, s16 events, s16 revents
  const descriptor = Buffer.alloc(8)
  descriptor.writeInt32LE(fd, 0)
  descriptor.writeInt16LE(readable, 4)
  return new Promise((resolve, reject) => {
    poll.async(descriptor, 1, timeoutMs, (error: unknown, count: number) => {
      if (error) reject(error)
      else resolve(count > 0 && (descriptor.readInt16LE(6) & readable) !== 0)
    })
  })
}
