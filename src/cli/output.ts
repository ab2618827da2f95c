import { closeSync, constants, fchownSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { isatty } from 'node:tty'
import { messageOf, UserError } from '../base/errors.ts'

/** Where text goes: a file descriptor, written to synchronously, so that nothing is left behind when utrace ends. */
export interface Output {
  readonly fd: number
  /**
   * @param position where in a plain file; by default behind what was written last
   * @throws ClosedPipeError, UserError
   */
  write(bytes: Uint8Array, position?: number): void
  close(): void
}

/** The reader of our output has gone: there is nobody left to tell. */
export class ClosedPipeError extends Error {
  override readonly name = 'ClosedPipeError'
}

const standardError = 2

/** The trace's default place. Node's own stream would make the descriptor, which the target shares, non-blocking. */
export function standardErrorOutput(): Output {
  return { fd: standardError, write: (bytes) => writeFully(standardError, bytes, 'stderr'), close: () => {} }
}

/** The place of what commands print on demand. */
export function standardOutput(): Output {
  return { fd: 1, write: (bytes) => writeFully(1, bytes, 'stdout'), close: () => {} }
}

/** Writes to the file that was asked for, or to standard output, and closes it. @throws UserError */
export function withOutput<Result>(path: string | undefined, use: (output: Output) => Result): Result {
  const output = path === undefined ? standardOutput() : fileOutput(path)
  try {
    return use(output)
  } finally {
    output.close()
  }
}

/** A line for the user, on standard error. */
export function printLine(line: string): void {
  writeFully(standardError, Buffer.from(`${line}\n`), 'stderr')
}

/** Text for the user that is no whole line, on standard error. */
export function writeStandardError(text: string): void {
  writeFully(standardError, Buffer.from(text), 'stderr')
}

/** Text that was asked for, on standard output. */
export function printText(text: string): void {
  writeFully(1, Buffer.from(text), 'stdout')
}

/**
 * Opens a file for the trace. What exists is overwritten only if it is a plain file of the invoking user's own; a
 * symbolic link is never followed, for utrace runs as root. Devices and FIFOs are written to as they are.
 * @throws UserError that says why it is not writable
 */
export function fileOutput(path: string): Output {
  const fd = openOutput(path)
  const write = (bytes: Uint8Array, position?: number) => writeFully(fd, bytes, path, position)
  return { fd, write, close: () => closeSync(fd) }
}

function openOutput(path: string): number {
  // These are links to what is open already. Others in /dev are not to be trusted: anybody may make them in /dev/shm.
  const isOpenAlready = /^\/dev\/(?:stdout|stderr|fd\/\d+)$/.test(path)
  const noFollow = isOpenAlready ? 0 : constants.O_NOFOLLOW
  try {
    const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | noFollow, 0o666)
    giveToInvokingUser(fd)
    return fd
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw notWritable(path, error)
  }
  try {
    const fd = openSync(path, constants.O_WRONLY | noFollow)
    const stat = fstatSync(fd)
    if (!stat.isFile()) return fd
    if (!isOwnFile(stat)) {
      throw new UserError(`cannot write to ${path}: it belongs to another user: give another file`)
    }
    ftruncateSync(fd)
    return fd
  } catch (error) {
    throw error instanceof UserError ? error : notWritable(path, error)
  }
}

function notWritable(path: string, cause: unknown): UserError {
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'its folder does not exist',
    ENOTDIR: 'its folder is not a folder',
    EISDIR: 'it is a folder',
    EACCES: 'not permitted',
    EPERM: 'not permitted',
    EROFS: 'the file system is read-only',
    ELOOP: 'it is a symbolic link, which utrace does not follow: give the file itself',
    ENOSPC: 'no space left on the device',
  }
  const reason = reasons[(cause as NodeJS.ErrnoException).code ?? ''] ?? messageOf(cause)
  return new UserError(`cannot write to ${path}: ${reason}`, { cause })
}

/** Whether a file belongs to whoever runs utrace, be it through sudo. */
export function isOwnFile({ uid }: { readonly uid: number }): boolean {
  return uid === process.geteuid?.() || uid === invokingUser()?.uid
}

/** Who called sudo, if it was sudo. */
function invokingUser(): { uid: number; gid: number } | undefined {
  const { SUDO_UID: uid, SUDO_GID: gid } = process.env
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) }
}

function giveToInvokingUser(fd: number): void {
  const user = invokingUser()
  if (user !== undefined && process.geteuid?.() === 0) fchownSync(fd, user.uid, user.gid)
}

function writeFully(fd: number, bytes: Uint8Array, name: string, position?: number): void {
  for (let written = 0; written < bytes.length; ) {
    try {
      const at = position === undefined ? null : position + written
      written += writeSync(fd, bytes, written, bytes.length - written, at)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      // Somebody else has made the shared descriptor non-blocking.
      if (code === 'EAGAIN') waitMs(1)
      else if (code === 'EPIPE') throw new ClosedPipeError(name, { cause: error })
      else throw notWritable(name, error)
    }
  }
}

function waitMs(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}

/** Whether to colour what goes to this output: NO_COLOR, TERM=dumb and pipes say no (https://no-color.org). */
export function wantsColor(choice: 'auto' | 'always' | 'never', fd: number): boolean {
  if (choice !== 'auto') return choice === 'always'
  return isatty(fd) && !process.env.NO_COLOR && process.env.TERM !== 'dumb'
}
