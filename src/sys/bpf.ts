import { addressOf, checked, declare, errnoCodes, lastErrno } from './libc.ts'

/**
 * bpf(2). Attribute layouts follow `union bpf_attr` in the kernel's include/uapi/linux/bpf.h; the kernel takes
 * an attribute shorter or longer than its own as long as the unknown tail is zero.
 */
const syscall = declare('long syscall(long number, long command, void *attributes, ulong size)')
const syscallNumberBpf = 321

const bpfCommand = {
  mapCreate: 0,
  mapLookup: 1,
  mapUpdate: 2,
  mapDelete: 3,
  mapNextKey: 4,
  programLoad: 5,
  rawTracepointOpen: 17,
  btfLoad: 18,
  mapFreeze: 22,
  linkCreate: 28,
  iteratorCreate: 33,
} as const

type BpfCommand = keyof typeof bpfCommand

/** Fields of one attribute: `offset -> value`, written as u32 or u64, or a buffer's address. */
export class BpfAttributes {
  readonly bytes: Buffer
  readonly #kept: Uint8Array[] = []

  constructor(size = 128) {
    this.bytes = Buffer.alloc(size)
  }

  u32(offset: number, value: number): this {
    this.bytes.writeUInt32LE(value >>> 0, offset)
    return this
  }

  u64(offset: number, value: bigint): this {
    this.bytes.writeBigUInt64LE(value, offset)
    return this
  }

  pointer(offset: number, target: Uint8Array): this {
    this.#kept.push(target)
    return this.u64(offset, addressOf(target))
  }

  text(offset: number, value: string, size: number): this {
    this.bytes.write(value.slice(0, size - 1), offset, 'latin1')
    return this
  }
}

/** How often a command that a signal has interrupted is tried again. */
const interruptedRetries = 20

/** @returns the command's result, a file descriptor for those that make one. @throws SystemCallError */
export function bpf(command: BpfCommand, attributes: BpfAttributes): number {
  const { bytes } = attributes
  for (let retries = 0; ; retries++) {
    const result = Number(syscall(syscallNumberBpf, bpfCommand[command], bytes, bytes.length))
    // The verifier gives up on a pending signal, and leaves it to the caller to start again.
    if (result < 0 && lastErrno() === errnoCodes.EAGAIN && retries < interruptedRetries) continue
    return checked(`bpf(${command})`, result)
  }
}

/** The same on another thread, for commands that wait. Why one failed is not known there. */
export function bpfAsync(command: BpfCommand, attributes: BpfAttributes): Promise<number> {
  const { bytes } = attributes
  return new Promise((resolve, reject) => {
    syscall.async(
      syscallNumberBpf,
      bpfCommand[command],
      bytes,
      bytes.length,
      (error: unknown, result: number) => {
        if (error) reject(error)
        // The attributes stay alive until here: the closure holds them.
        else if (Number(result) < 0) reject(new Error(`bpf(${command}) failed`, { cause: attributes }))
        else resolve(Number(result))
      },
    )
  })
}

/** A C string's bytes. */
export function cString(text: string): Buffer {
  return Buffer.from(`${text}\0`, 'utf8')
}
