import { addressOf, checked, declare } from './libc.ts'

/**
 * bpf(2). Attribute layouts follow `union bpf_attr` in the kernel's include/uapi/linux/bpf.h; the kernel takes
 * an attribute shorter or longer than its own as long as the unknown tail is zero.
 */
const syscall = declare('long syscall(long number, long command, void *attributes, ulong size)')
const syscallNumberBpf = 321

export const bpfCommand = {
  mapCreate: 0,
  mapLookup: 1,
  mapUpdate: 2,
  mapDelete: 3,
  programLoad: 5,
  rawTracepointOpen: 17,
  mapFreeze: 22,
  linkCreate: 28,
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

/** @returns the command's result, a file descriptor for those that make one. @throws SystemCallError */
export function bpf(command: BpfCommand, attributes: BpfAttributes): number {
  const result = syscall(syscallNumberBpf, bpfCommand[command], attributes.bytes, attributes.bytes.length)
  return checked(`bpf(${command})`, result)
}

/** A C string's bytes. */
export function cString(text: string): Buffer {
  return Buffer.from(`${text}\0`, 'utf8')
}
