import koffi from 'koffi'

/**
 * The C library that this process runs on, and its errno. Everything in `sys` calls through it.
 */
const libc = koffi.load('libc.so.6')

export const errnoCodes = koffi.os.errno

/** Declares a C function by its prototype. */
export function declare(prototype: string) {
  return libc.func(prototype)
}

/** errno of the last call through `declare`d functions. */
export function lastErrno(): number {
  return koffi.errno()
}

/** A system call that failed: which, with what errno, and its name (`EPERM`). */
export class SystemCallError extends Error {
  override readonly name = 'SystemCallError'
  readonly call: string
  readonly errno: number
  readonly code: string

  constructor(call: string, errno: number) {
    const code = errorCode(errno)
    super(`${call}: ${code}`)
    this.call = call
    this.errno = errno
    this.code = code
  }
}

function errorCode(errno: number): string {
  return Object.entries(errnoCodes).find(([, value]) => value === errno)?.[0] ?? `errno ${errno}`
}

/** Checks a result that is negative on failure, and gives it back. */
export function checked(call: string, result: number | bigint): number {
  const value = Number(result)
  if (value < 0) throw new SystemCallError(call, koffi.errno())
  return value
}

/** The address of a buffer's bytes. The caller keeps the buffer alive for as long as the kernel uses it. */
export function addressOf(buffer: Uint8Array): bigint {
  return BigInt(koffi.address(buffer))
}

/** Whether a system call was refused for want of rights. */
export function isPermissionProblem(error: unknown): boolean {
  return error instanceof SystemCallError && (error.code === 'EPERM' || error.code === 'EACCES')
}
