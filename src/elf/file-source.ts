import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import type { ByteSource } from '../base/byte-source.ts'
import { messageOf } from '../base/errors.ts'
import { ElfError } from './error.ts'

/** A byte source that holds a file open until it is closed. */
export interface FileSource extends ByteSource {
  /** Further reads fail. A descriptor that was given, not opened here, stays open. */
  close(): void
}

/**
 * The bytes of a regular file, read on demand. Opened with `O_NONBLOCK`, so that a FIFO put in the file's place
 * cannot hang the caller.
 * @param file a path, or an open descriptor that stays the caller's
 * @throws ElfError `unreadable` when it cannot be opened or is no regular file
 */
export function fileSource(file: string | number): FileSource {
  const path = typeof file === 'string' ? file : `file descriptor ${file}`
  const descriptor = typeof file === 'string' ? open(file) : file
  const close = () => {
    if (typeof file === 'string') closeSync(descriptor)
  }
  const stat = fstatSync(descriptor)
  if (!stat.isFile()) {
    close()
    throw new ElfError('unreadable', path, 'not a regular file: give the path of a program')
  }
  return {
    size: stat.size,
    read: (offset, length) => readFully(descriptor, offset, Math.min(length, stat.size - offset)),
    close,
  }
}

function open(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    const missing = code === 'ENOENT' || code === 'ENOTDIR'
    const reason = missing
      ? 'no such file: check the path'
      : code === 'EACCES' || code === 'EPERM'
        ? 'not permitted to read it: run with sudo'
        : messageOf(cause)
    throw new ElfError('unreadable', path, reason, { cause, exitStatus: missing ? 127 : 126 })
  }
}

function readFully(descriptor: number, offset: number, length: number): Uint8Array {
  if (!(offset >= 0 && length > 0)) return new Uint8Array(0)
  // Not from the shared pool: tables are read through views that need their bytes aligned.
  const bytes = Buffer.allocUnsafeSlow(length)
  let done = 0
  while (done < length) {
    const count = readSync(descriptor, bytes, done, length - done, offset + done)
    if (count === 0) break
    done += count
  }
  return bytes.subarray(0, done)
}
