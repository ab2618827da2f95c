import { ByteReader } from '../base/byte-reader.ts'
import { DT_RELA, DT_RELASZ, DT_RELR, DT_RELRSZ } from './dynamic.ts'
import type { ElfImage } from './image.ts'
import { forEachRelocation, R_X86_64_RELATIVE } from './relocations.ts'

const POINTER_SIZE = 8
const BITS_PER_WORD = 63
const CHUNK_SIZE = 1 << 16

/**
 * The pointers into the file itself that the dynamic linker fills in: address of the pointer → address it points
 * to, from `R_X86_64_RELATIVE` addends and the packed table `DT_RELR` (gABI proposal "SHT_RELR").
 */
export function relativePointers(elf: ElfImage): RelativePointers {
  const known = pointersByImage.get(elf)
  if (known) return known
  const pointers = readPointers(elf)
  pointersByImage.set(elf, pointers)
  return pointers
}

/** A library with one IFUNC has many, and each resolver asks. */
const pointersByImage = new WeakMap<ElfImage, RelativePointers>()

/** What all of them point to. */
export function pointerTargets(elf: ElfImage): Iterable<number> {
  return relativePointers(elf).targets()
}

export interface RelativePointers {
  targets(): Iterable<number>
  /** What the pointer at an address points to; undefined if there is none. */
  get(address: number): number | undefined
}

function readPointers(elf: ElfImage): RelativePointers {
  const pointers = new Map<number, number>()
  const stored = new Set<number>()
  forEachRelocation(elf, DT_RELA, DT_RELASZ, (address, type, _symbol, addend) => {
    if (type === R_X86_64_RELATIVE) pointers.set(address, addend)
  })
  const packed = new ByteReader(elf.bytesAt(elf.dynamic.get(DT_RELR) ?? -1, elf.dynamic.get(DT_RELRSZ) ?? 0))
  let next = 0
  while (packed.remaining >= POINTER_SIZE) {
    const low = packed.u32()
    const high = packed.u32()
    if ((low & 1) === 0) {
      const address = high * 0x1_0000_0000 + low
      stored.add(address)
      next = address + POINTER_SIZE
      continue
    }
    for (let bit = 1; bit <= BITS_PER_WORD; bit++) {
      const set = bit < 32 ? (low >>> bit) & 1 : (high >>> (bit - 32)) & 1
      if (set) stored.add(next + (bit - 1) * POINTER_SIZE)
    }
    next += BITS_PER_WORD * POINTER_SIZE
  }
  return {
    *targets() {
      yield* pointers.values()
      let chunk: { address: number; bytes: Uint8Array } = { address: 0, bytes: new Uint8Array() }
      for (const address of stored) {
        const end = chunk.address + chunk.bytes.length
        if (address < chunk.address || address + POINTER_SIZE > end) {
          // They lie side by side: one read serves many.
          chunk = { address, bytes: elf.bytesAt(address, CHUNK_SIZE) }
        }
        const value = new ByteReader(chunk.bytes.subarray(address - chunk.address))
        const target = value.u64()
        if (!value.overrun) yield target
      }
    },
    get(address) {
      if (!stored.has(address)) return pointers.get(address)
      // Their targets stand in the file, each in a place of its own: read when asked for.
      const value = new ByteReader(elf.bytesAt(address, POINTER_SIZE))
      const target = value.u64()
      return value.overrun ? undefined : target
    },
  }
}
