import { readFileSync } from 'node:fs'
import { UserError } from '../base/errors.ts'

/**
 * The kernel's own type information (BTF), asked for a few offsets of structure members and a few type ids.
 * Format: https://docs.kernel.org/bpf/btf.html
 */
export interface KernelTypes {
  /** Byte offset of a member, also one in an anonymous structure inside. Undefined where there is none. */
  memberOffset(structure: string, member: string): number | undefined
  /** Type id of a function that BPF programs may call, a structure, or a typedef; undefined where this kernel has none. */
  functionId(name: string): number | undefined
  structureId(name: string): number | undefined
  typedefId(name: string): number | undefined
}

const btfPath = '/sys/kernel/btf/vmlinux'

const typeHeaderBytes = 12
const memberBytes = 12
const kindStruct = 4
const kindUnion = 5
const kindTypedef = 8
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

  /** Where each type begins, by its id: types are of different length, and refer to each other by id. */
  const starts = typeStarts(bytes, types, typesEnd)

  function find(kind: number, name: string): number | undefined {
    // Names are stored once: see btf_dedup of libbpf, which the kernel build runs.
    const nameOffset = strings.indexOf(`\0${name}\0`, 0, 'latin1') + 1
    if (nameOffset === 0) return undefined
    for (let id = 1; id < starts.length; id++) {
      const at = starts[id]!
      if (bytes.readUInt32LE(at) === nameOffset && kindOf(bytes.readUInt32LE(at + 4)) === kind) return id
    }
    return undefined
  }

  function memberIn(id: number, member: string): number | undefined {
    const at = starts[id]!
    const count = bytes.readUInt16LE(at + 4)
    for (let index = 0; index < count; index++) {
      const memberAt = at + typeHeaderBytes + index * memberBytes
      const nameAt = bytes.readUInt32LE(memberAt)
      // The upper 8 bits hold a bit-field's size where the structure has one; the rest is an offset in bits.
      const offset = (bytes.readUInt32LE(memberAt + 8) & 0xffffff) / 8
      if (nameAt === 0) {
        const inner = bytes.readUInt32LE(memberAt + 4)
        const kind = kindOf(bytes.readUInt32LE(starts[inner]! + 4))
        const found = kind === kindStruct || kind === kindUnion ? memberIn(inner, member) : undefined
        if (found !== undefined) return offset + found
      } else if (strings.toString('latin1', nameAt, nameAt + member.length + 1) === `${member}\0`)
        return offset
    }
    return undefined
  }

  const structures = new Map<string, number | undefined>()
  function structureId(name: string): number | undefined {
    if (!structures.has(name)) structures.set(name, find(kindStruct, name))
    return structures.get(name)
  }
  return {
    functionId: (name) => find(kindFunction, name),
    typedefId: (name) => find(kindTypedef, name),
    structureId,
    memberOffset(structure, member) {
      const id = structureId(structure)
      return id === undefined ? undefined : memberIn(id, member)
    },
  }
}

const kindOf = (info: number) => (info >>> 24) & 31

function typeStarts(bytes: Buffer, types: number, typesEnd: number): Uint32Array {
  const starts = new Uint32Array((typesEnd - types) / typeHeaderBytes + 1)
  let id = 1
  for (let at = types; at + typeHeaderBytes <= typesEnd; id++) {
    starts[id] = at
    const info = bytes.readUInt32LE(at + 4)
    const tail = tailBytes[kindOf(info)]
    if (tail === undefined) {
      throw new UserError(`${btfPath} has a type of kind ${kindOf(info)} that utrace does not know`)
    }
    at += typeHeaderBytes + tail[0] + tail[1] * (info & 0xffff)
  }
  return starts.subarray(0, id)
}
