import { ByteReader } from '../base/byte-reader.ts'
import { DT_VERDEF, DT_VERDEFNUM, DT_VERNEED, DT_VERNEEDNUM, DT_VERSYM } from './dynamic.ts'
import type { ElfImage } from './image.ts'

/** Symbol versions (Linux Standard Base, "Symbol Versioning"), by index in the dynamic symbol table. */
export interface SymbolVersions {
  /** Version index: 0 local, 1 the unversioned base, 2 and more named. 1 in a file without versions. */
  indexOf(symbol: number): number
  /** Not taken by a reference that names no version: `name@VERSION` rather than `name@@VERSION`. */
  isHidden(symbol: number): boolean
  nameOf(symbol: number): string | undefined
}

const HIDDEN = 0x8000
const INDEX = 0x7fff
const VER_FLG_BASE = 1
const VERDEF_SIZE = 20
const VERNEED_SIZE = 16
/** Version indices have 15 bits. */
const MAX_VERSIONS = 0x8000

export function readVersions(elf: ElfImage, symbolCount: number): SymbolVersions {
  const versym = elf.dynamic.get(DT_VERSYM)
  if (versym === undefined) return { indexOf: () => 1, isHidden: () => false, nameOf: () => undefined }
  const indices = readIndices(elf.bytesAt(versym, symbolCount * 2))
  const names = new Map<number, string>()
  readDefinitions(elf, names)
  readNeeds(elf, names)
  const indexOf = (symbol: number) => (indices[symbol] ?? 1) & INDEX
  return {
    indexOf,
    isHidden: (symbol) => ((indices[symbol] ?? 0) & HIDDEN) !== 0,
    nameOf: (symbol) => names.get(indexOf(symbol)),
  }
}

/** `Elf64_Versym`: one 16-bit word a symbol. */
function readIndices(bytes: Uint8Array): Uint16Array {
  const copy = new Uint8Array(bytes.subarray(0, bytes.length & ~1))
  return new Uint16Array(copy.buffer)
}

/** `Elf64_Verdef`: the first `Elf64_Verdaux` of each holds its name. */
function readDefinitions(elf: ElfImage, names: Map<number, string>): void {
  let address = elf.dynamic.get(DT_VERDEF)
  let left = Math.min(elf.dynamic.get(DT_VERDEFNUM) ?? 0, MAX_VERSIONS)
  for (; address !== undefined && left > 0; left--) {
    const fields = new ByteReader(elf.bytesAt(address, VERDEF_SIZE))
    fields.skip(2)
    const flags = fields.u16()
    const index = fields.u16()
    fields.skip(6)
    const auxiliary = fields.u32()
    const next = fields.u32()
    const name = elf.dynamicStrings.at(new ByteReader(elf.bytesAt(address + auxiliary, 4)).u32())
    if (fields.overrun) return
    // The base definition carries the library's own name; its symbols are unversioned.
    if ((flags & VER_FLG_BASE) === 0 && name) names.set(index, name)
    address = next === 0 ? undefined : address + next
  }
}

/** `Elf64_Verneed` and its chain of `Elf64_Vernaux`: the versions wanted of each library. */
function readNeeds(elf: ElfImage, names: Map<number, string>): void {
  let address = elf.dynamic.get(DT_VERNEED)
  let left = MAX_VERSIONS
  for (
    let files = elf.dynamic.get(DT_VERNEEDNUM) ?? 0;
    address !== undefined && files > 0 && left > 0;
    files--
  ) {
    const fields = new ByteReader(elf.bytesAt(address, VERNEED_SIZE))
    fields.skip(2)
    const count = fields.u16()
    fields.skip(4)
    let auxiliary = address + fields.u32()
    const next = fields.u32()
    if (fields.overrun) return
    left--
    for (let at = 0; at < count && left > 0; at++, left--) {
      const need = new ByteReader(elf.bytesAt(auxiliary, VERNEED_SIZE))
      need.skip(6)
      const index = need.u16() & INDEX
      const name = elf.dynamicStrings.at(need.u32())
      const step = need.u32()
      if (need.overrun) return
      if (name) names.set(index, name)
      if (step === 0) break
      auxiliary += step
    }
    address = next === 0 ? undefined : address + next
  }
}
