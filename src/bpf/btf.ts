import { readFileSync } from 'node:fs'
import { UserError } from '../base/errors.ts'

/**
 * The kernel's own type information (BTF), asked for two things only: the offset of a member in a structure, and
 * the type id of a function that BPF programs may call.
 * Format: https://docs.kernel.org/bpf/btf.html
 */
export interface KernelTypes {
  /** Byte offset of a direct member. @throws UserError if there is no such member. */
  memberOffset(structure: string, member: string): number
  /** Type id of a function, or undefined where this kernel has none of the name. */
  functionId(name: string): number | undefined
}

const btfPath = '/sys/kernel/btf/vmlinux'

const typeHeaderBytes = 12
const memberBytes = 12
const kindStruct = 4
const kindFunction = 12

/** Bytes that follow the 12-byte type header: fixed part, and part per member. */
const tailBytes: readonly (readonly [fixed: number, perMember: number] | undefined)[] = [
  [0, 0], // void
  [4, 0], // int
  [0, 0], // pointer
  [12, 0], // array
  [0, 12], // struct
  [0, 12], // union
  [0, 8], // enum
  [0, 0], // forward
  [0, 0], // typedef
  [0, 0], // volatile
  [0, 0], // const
  [0, 0], // restrict
  [0, 0], // function
  [0, 8], // function prototype
  [4, 0], // variable
  [0, 12], // data section
  [0, 0], // float
  [4, 0], // declaration tag
  [0, 0], // type tag
  [0, 12], // enum64
]

/** Reads the running kernel's types. @throws UserError where the kernel has none. */
export function readKernelTypes(): KernelTypes {
  try {
    return kernelTypes(readFileSync(btfPath))
  } catch (cause) {
    if (cause instanceof UserError) throw cause
    throw new UserError(
      `cannot read ${btfPath}: this kernel was built without BTF (CONFIG_DEBUG_INFO_BTF): use a kernel that has it`,
      { cause },
    )
  }
}

/** @param bytes the contents of /sys/kernel/btf/vmlinux */
export function kernelTypes(bytes: Buffer): KernelTypes {
  if (bytes.length < 24 || bytes.readUInt16LE(0) !== 0xeb9f) throw new UserError(`${btfPath} is not BTF`)
  const headerBytes = bytes.readUInt32LE(4)
  const types = headerBytes + bytes.readUInt32LE(8)
  const typesEnd = types + bytes.readUInt32LE(12)
  const strings = bytes.subarray(headerBytes + bytes.readUInt32LE(16))

  /** Finds the type of this kind and name in one pass: the name is compared as a string offset. */
  function find(kind: number, name: string): { id: number; at: number } | undefined {
    // Names are stored once: see btf_dedup of libbpf, which the kernel build runs.
    const nameOffset = strings.indexOf(`\0${name}\0`, 0, 'latin1') + 1
    if (nameOffset === 0) return undefined
    let id = 1
    for (let at = types; at + typeHeaderBytes <= typesEnd; id++) {
      const info = bytes.readUInt32LE(at + 4)
      const thisKind = (info >>> 24) & 31
      if (thisKind === kind && bytes.readUInt32LE(at) === nameOffset) return { id, at }
      const tail = tailBytes[thisKind]
      if (tail === undefined)
        throw new UserError(`${btfPath} has a type of kind ${thisKind} that utrace does not know`)
      at += typeHeaderBytes + tail[0] + tail[1] * (info & 0xffff)
    }
    return undefined
  }

  const structures = new Map<string, number | undefined>()
  const structureAt = (name: string) => {
    if (!structures.has(name)) structures.set(name, find(kindStruct, name)?.at)
    return structures.get(name)
  }

  return {
    functionId: (name) => find(kindFunction, name)?.id,
    memberOffset(structure, member) {
      const found = structureAt(structure)
      const memberCount = found === undefined ? 0 : bytes.readUInt16LE(found + 4)
      for (let index = 0; found !== undefined && index < memberCount; index++) {
        const at = found + typeHeaderBytes + index * memberBytes
        const nameAt = bytes.readUInt32LE(at)
        if (strings.toString('latin1', nameAt, nameAt + member.length + 1) !== `${member}\0`) continue
        // The upper 8 bits hold a bit-field's size where the structure has one; the rest is an offset in bits.
        return (bytes.readUInt32LE(at + 8) & 0xffffff) / 8
      }
      throw new UserError(
        `this kernel's struct ${structure} has no member ${member}: utrace does not know this kernel`,
      )
    },
  }
}
