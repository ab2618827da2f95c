import { BpfAttributes, bpf } from '../sys/bpf.ts'
import type { BpfMapDefinition } from './object.ts'

/** Map types of enum bpf_map_type. */
export const mapType = { hash: 1, array: 2, ringBuffer: 27, taskStorage: 29 } as const

const anyFlag = 0
export const readOnlyForPrograms = 1 << 7

/**
 * Types for a map that keeps something for each thread, which the kernel insists on: 1 an int for its key, 2 a structure
 * without members for its value. @returns a file descriptor
 */
function storageTypes(valueBytes: number): number {
  const kindInt = 1 << 24
  const kindStruct = 4 << 24
  const integer = [0, kindInt, 4, 32]
  const structure = [0, kindStruct, valueBytes]
  const types = Uint32Array.from([...integer, ...structure])
  const headerBytes = 24
  // struct btf_header: magic and version, its length; offset and length of types and strings.
  const header = Uint32Array.from([0x1_eb9f, headerBytes, 0, types.byteLength, types.byteLength, 2])
  // The empty name, and a name for what must have one.
  const strings = Buffer.from('\0\0')
  const bytes = Buffer.concat([Buffer.from(header.buffer), Buffer.from(types.buffer), strings])
  return bpf('btfLoad', new BpfAttributes().pointer(0, bytes).u32(16, bytes.length))
}

/** A BPF map: a file descriptor and the sizes of its keys and values. It lives until the process ends. */
export class BpfMap {
  readonly fd: number
  readonly definition: BpfMapDefinition

  constructor(name: string, definition: BpfMapDefinition) {
    const { type, keySize, valueSize, maxEntries, flags } = definition
    this.definition = definition
    const attributes = new BpfAttributes()
      .u32(0, type)
      .u32(4, keySize)
      .u32(8, valueSize)
      .u32(12, maxEntries)
      .u32(16, flags)
      .text(28, name, 16)
    if (type === mapType.taskStorage) attributes.u32(48, storageTypes(valueSize)).u32(52, 1).u32(56, 2)
    this.fd = bpf('mapCreate', attributes)
  }

  update(key: number, value: Uint8Array): void {
    bpf('mapUpdate', this.#element(key).pointer(16, value).u64(24, BigInt(anyFlag)))
  }

  /** The value of the key. @throws SystemCallError (ENOENT) where the map has none. */
  lookup(key: number): Buffer {
    const value = Buffer.alloc(this.definition.valueSize)
    bpf('mapLookup', this.#element(key).pointer(16, value))
    return value
  }

  delete(key: number): void {
    bpf('mapDelete', this.#element(key))
  }

  /** No later change from user space: the verifier may take the values for constants. */
  freeze(): void {
    bpf('mapFreeze', new BpfAttributes().u32(0, this.fd))
  }

  #element(key: number): BpfAttributes {
    return new BpfAttributes().u32(0, this.fd).pointer(8, u32Bytes(key))
  }
}

export function u32Bytes(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value >>> 0)
  return bytes
}
