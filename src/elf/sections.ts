import { ByteReader } from '../base/byte-reader.ts'
import type { ByteSource } from '../base/byte-source.ts'
import type { ElfHeader } from './header.ts'
import { StringTable } from './string-table.ts'

/** An `Elf64_Shdr` with its name. */
export interface Section {
  readonly name: string
  readonly type: number
  readonly flags: number
  readonly address: number
  readonly fileOffset: number
  readonly size: number
  /** `sh_link`: of a symbol table, the index of its string table. */
  readonly link: number
}

export const SHT_SYMTAB = 2
const SHT_STRTAB = 3
export const SHT_NOTE = 7
export const SHT_NOBITS = 8
export const SHT_DYNSYM = 11
export const SHF_EXECINSTR = 4

const ENTRY_SIZE = 64
const SHN_XINDEX = 0xffff
/** Far above what compilers make with one section per function; bounds the memory a hostile count can take. */
const MAX_SECTIONS = 1 << 20

/**
 * The section headers, or none if the file has none or lies about them: nothing that runs depends on them.
 * Sections whose bytes lie beyond the end of the file are kept, with size 0.
 */
export function readSections(source: ByteSource, header: ElfHeader): Section[] {
  if (header.sectionHeaderOffset === 0) return []
  const first = new ByteReader(source.read(header.sectionHeaderOffset, ENTRY_SIZE))
  if (first.bytes.length < ENTRY_SIZE) return []
  // gABI: counts and indices of 0xff00 and more are kept in the first section header.
  first.offset = 32
  const extendedCount = first.u64()
  const extendedNameIndex = first.u32()
  const count = header.sectionHeaderCount === 0 ? extendedCount : header.sectionHeaderCount
  const nameIndex = header.sectionNameIndex === SHN_XINDEX ? extendedNameIndex : header.sectionNameIndex
  if (count > MAX_SECTIONS || header.sectionHeaderOffset + count * ENTRY_SIZE > source.size) return []

  const fields = new ByteReader(source.read(header.sectionHeaderOffset, count * ENTRY_SIZE))
  const raw = Array.from({ length: count }, () => {
    const nameOffset = fields.u32()
    const type = fields.u32()
    const flags = fields.u64()
    const address = fields.u64()
    const fileOffset = fields.u64()
    const size = fields.u64()
    const link = fields.u32()
    fields.skip(20)
    const inFile = type === SHT_NOBITS || fileOffset + size <= source.size
    return { nameOffset, type, flags, address, fileOffset, size: inFile ? size : 0, link }
  })
  const names = raw[nameIndex]
  const strings = new StringTable(
    names?.type === SHT_STRTAB ? source.read(names.fileOffset, names.size) : new Uint8Array(0),
  )
  return raw.map(({ nameOffset, ...section }) => ({ name: strings.at(nameOffset) ?? '', ...section }))
}
