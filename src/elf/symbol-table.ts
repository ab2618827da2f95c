import { DT_HASH, DT_JMPREL, DT_PLTRELSZ, DT_RELA, DT_RELASZ, DT_SYMTAB } from './dynamic.ts'
import { GnuHashTable } from './gnu-hash.ts'
import type { ElfImage } from './image.ts'
import { forEachRelocation } from './relocations.ts'
import { type Section, SHT_DYNSYM, SHT_SYMTAB } from './sections.ts'
import { StringTable } from './string-table.ts'
import { wordsAt, wordsOf } from './words.ts'

export const STT_NOTYPE = 0
export const STT_FUNC = 2
export const STT_GNU_IFUNC = 10
export const STB_LOCAL = 0
export const STB_WEAK = 2
export const SHN_UNDEF = 0

const ENTRY_SIZE = 24
const WORDS = 6

/** `.symtab`, `.dynsym`, or the `.symtab` of another file that was split off. */
export type SymbolOrigin = 'symtab' | 'dynsym' | 'separate'

/**
 * An array of `Elf64_Sym`, read through 32-bit words: 100,000 entries are looked at in a few milliseconds.
 * Indices outside the table read as 0, an undefined symbol without a name.
 */
export class SymbolTable {
  readonly count: number
  readonly strings: StringTable
  readonly origin: SymbolOrigin
  /** Of the file that the table is in: what `sectionIndex` counts. */
  readonly sections: readonly Section[]
  readonly #words: Uint32Array

  constructor(entries: Uint8Array, strings: StringTable, origin: SymbolOrigin, sections: readonly Section[]) {
    this.origin = origin
    this.sections = sections
    this.count = Math.floor(entries.length / ENTRY_SIZE)
    this.strings = strings
    this.#words = wordsOf(entries)
  }

  /** Offset of the name in `strings`. */
  nameOffset(index: number): number {
    return this.#words[index * WORDS] ?? 0
  }

  type(index: number): number {
    return (this.#words[index * WORDS + 1] ?? 0) & 15
  }

  binding(index: number): number {
    return ((this.#words[index * WORDS + 1] ?? 0) >> 4) & 15
  }

  sectionIndex(index: number): number {
    return (this.#words[index * WORDS + 1] ?? 0) >>> 16
  }

  value(index: number): number {
    return (this.#words[index * WORDS + 2] ?? 0) + (this.#words[index * WORDS + 3] ?? 0) * 0x1_0000_0000
  }

  size(index: number): number {
    return (this.#words[index * WORDS + 4] ?? 0) + (this.#words[index * WORDS + 5] ?? 0) * 0x1_0000_0000
  }
}

/** `.symtab`, or undefined in a stripped file. */
export function staticSymbols(elf: ElfImage): SymbolTable | undefined {
  const section = elf.sections.find((candidate) => candidate.type === SHT_SYMTAB)
  const strings = section && elf.sections[section.link]
  return (
    section &&
    strings &&
    new SymbolTable(
      elf.sectionBytes(section),
      new StringTable(elf.sectionBytes(strings)),
      'symtab',
      elf.sections,
    )
  )
}

/** `.dynsym`, found as the dynamic linker finds it, so that it is there without section headers too. */
export function dynamicSymbols(elf: ElfImage): SymbolTable | undefined {
  const address = elf.dynamic.get(DT_SYMTAB)
  if (address === undefined) return undefined
  const section = elf.sections.find(
    (candidate) => candidate.type === SHT_DYNSYM && candidate.address === address,
  )
  const size = section ? section.size : dynamicSymbolCount(elf) * ENTRY_SIZE
  return new SymbolTable(elf.bytesAt(address, size), elf.dynamicStrings, 'dynsym', elf.sections)
}

/**
 * The dynamic section does not say how many symbols there are. A hash table covers the defined ones; undefined
 * ones matter only where a relocation names them.
 */
function dynamicSymbolCount(elf: ElfImage): number {
  let count = Math.max(GnuHashTable.of(elf)?.symbolCount ?? 0, sysvHashCount(elf))
  const see = (_offset: number, _type: number, symbol: number) => {
    if (symbol >= count) count = symbol + 1
  }
  forEachRelocation(elf, DT_RELA, DT_RELASZ, see)
  forEachRelocation(elf, DT_JMPREL, DT_PLTRELSZ, see)
  return count
}

/** `nchain` of a `DT_HASH` table (gABI, "Hash Table") is the number of symbols. */
function sysvHashCount(elf: ElfImage): number {
  return wordsAt(elf, elf.dynamic.get(DT_HASH), 2)[1] ?? 0
}
