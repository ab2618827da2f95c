import type { ByteSource } from '../base/byte-source.ts'
import { asVirtualAddress } from '../base/units.ts'
import { segmentAt } from './address.ts'
import { findBuildId } from './build-id.ts'
import {
  DF_1_PIE,
  DT_FLAGS_1,
  DT_RPATH,
  DT_RUNPATH,
  DT_SONAME,
  DT_STRSZ,
  DT_STRTAB,
  type DynamicTable,
  readDynamic,
} from './dynamic.ts'
import type { ElfFacts } from './facts.ts'
import { damaged, readHeader } from './header.ts'
import {
  loadSegments,
  type ProgramHeader,
  PT_DYNAMIC,
  PT_INTERP,
  PT_NOTE,
  readProgramHeaders,
} from './program-headers.ts'
import { readSections, type Section, SHT_NOBITS, SHT_SYMTAB } from './sections.ts'
import { StringTable } from './string-table.ts'

/** An ELF file whose headers were read and checked; its tables are read by the functions of this folder. */
export interface ElfImage {
  readonly path: string
  readonly source: ByteSource
  readonly facts: ElfFacts
  readonly programHeaders: readonly ProgramHeader[]
  /** Empty where the file has none (`sstrip`). */
  readonly sections: readonly Section[]
  readonly dynamic: DynamicTable
  readonly dynamicStrings: StringTable
  /** At most `length` bytes that the file puts at an address: short at the end of the segment's file bytes. */
  bytesAt(address: number, length: number): Uint8Array
  sectionBytes(section: Section): Uint8Array
}

/** Larger tables are taken for damage, so that a hostile sparse file cannot take all memory. */
const MAX_TABLE_BYTES = 1 << 30
const MAX_NOTE_BYTES = 1 << 20
const MAX_PATH_BYTES = 4096

/**
 * Reads the headers and the dynamic section of an x86-64 program or library. Program headers alone suffice, as
 * for the kernel; section headers are taken where they are there.
 * @param path for messages only
 * @throws ElfError when it is something else, or damaged
 */
export function parseElf(source: ByteSource, path: string): ElfImage {
  const header = readHeader(source, path)
  const programHeaders = readProgramHeaders(source, header, path)
  const segments = loadSegments(programHeaders, source.size, path)
  const sections = readSections(source, header)

  const read = (offset: number, length: number): Uint8Array => {
    if (length > MAX_TABLE_BYTES) throw damaged(path, 'one of its tables is larger than 1 GiB')
    return source.read(offset, length)
  }
  const bytesAt = (address: number, length: number): Uint8Array => {
    const segment = segmentAt({ segments }, address)
    if (segment === undefined || !(length > 0)) return new Uint8Array(0)
    const skipped = address - segment.address
    return read(segment.fileOffset + skipped, Math.min(length, segment.fileSize - skipped))
  }
  const first = (type: number) => programHeaders.find((candidate) => candidate.type === type)

  const dynamicHeader = first(PT_DYNAMIC)
  const dynamic = readDynamic(
    dynamicHeader ? bytesAt(dynamicHeader.address, dynamicHeader.fileSize) : new Uint8Array(0),
  )
  const dynamicStrings = new StringTable(bytesAt(dynamic.get(DT_STRTAB) ?? -1, dynamic.get(DT_STRSZ) ?? 0))
  const dynamicString = (tag: number) => {
    const offset = dynamic.get(tag)
    return offset === undefined ? undefined : dynamicStrings.at(offset)
  }

  const interpreterHeader = first(PT_INTERP)
  const interpreter = interpreterHeader && interpreterPath(source, interpreterHeader)
  const soname = dynamicString(DT_SONAME)
  const pie = ((dynamic.get(DT_FLAGS_1) ?? 0) & DF_1_PIE) !== 0
  const facts: ElfFacts = {
    type: header.type,
    entry: asVirtualAddress(header.entry),
    segments,
    interpreter,
    soname,
    needed: dynamic.needed.map((offset) => dynamicStrings.at(offset)).filter((name) => name !== undefined),
    runPath: (dynamicString(DT_RUNPATH) ?? dynamicString(DT_RPATH))?.split(':') ?? [],
    buildId: buildIdOf(source, programHeaders),
    stripped: !sections.some((section) => section.type === SHT_SYMTAB && section.size > 0),
    isExecutableImage:
      header.type === 'executable' || pie || (interpreter !== undefined && soname === undefined),
  }
  return {
    path,
    source,
    facts,
    programHeaders,
    sections,
    dynamic,
    dynamicStrings,
    bytesAt,
    sectionBytes: (section) =>
      section.type === SHT_NOBITS ? new Uint8Array(0) : read(section.fileOffset, section.size),
  }
}

function interpreterPath(source: ByteSource, header: ProgramHeader): string | undefined {
  const bytes = source.read(header.fileOffset, Math.min(header.fileSize, MAX_PATH_BYTES))
  return new StringTable(bytes).at(0)
}

function buildIdOf(source: ByteSource, headers: readonly ProgramHeader[]): string | undefined {
  for (const header of headers) {
    if (header.type !== PT_NOTE) continue
    const id = findBuildId(source.read(header.fileOffset, Math.min(header.fileSize, MAX_NOTE_BYTES)))
    if (id !== undefined) return id
  }
  return undefined
}
