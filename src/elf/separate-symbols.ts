import { basename, dirname, join } from 'node:path'
import { type ByteSource, memorySource } from '../base/byte-source.ts'
import { crc32 } from '../base/crc32.ts'
import { findBuildId } from './build-id.ts'
import { ElfError } from './error.ts'
import { fileSource } from './file-source.ts'
import { readHeader } from './header.ts'
import type { ElfImage } from './image.ts'
import { readSections, type Section, SHT_NOBITS, SHT_NOTE, SHT_SYMTAB } from './sections.ts'
import { StringTable } from './string-table.ts'
import { SymbolTable } from './symbol-table.ts'
import { decompressXz } from './xz.ts'

const DEBUG_FOLDER = '/usr/lib/debug'
/** Larger symbol tables are taken for damage. */
const MAX_TABLE_BYTES = 1 << 30
const MAX_NOTE_BYTES = 1 << 16
const MAX_LINK_BYTES = 4096
/** Far above the symbols of the largest programs: what `.gnu_debugdata` may decompress to. */
const MAX_MINI_IMAGE_BYTES = 1 << 26
const CHUNK_BYTES = 1 << 22

/**
 * The `.symtab` that belongs to a file without one, from where gdb and elfutils look for it: a debug file found by
 * build id or by the name in `.gnu_debuglink` (GDB manual, "Separate Debug Files"), or the small image in
 * `.gnu_debugdata` ("MiniDebugInfo"). Its addresses are those of the stripped file. Whatever does not belong to the
 * file, or is damaged, is as absent.
 * @param rootPrefix put before every path: `/proc/PID/root` for the files that a process in a container sees, or ''
 */
export function findSeparateSymbols(elf: ElfImage, rootPrefix: string): SymbolTable | undefined {
  for (const path of debugFilePaths(elf)) {
    const table = symbolsOfDebugFile(elf, rootPrefix + path)
    if (table !== undefined) return table
  }
  return miniSymbols(elf)
}

function debugFilePaths(elf: ElfImage): string[] {
  const { buildId } = elf.facts
  const paths: string[] = []
  if (buildId !== undefined && buildId.length > 2) {
    paths.push(`${DEBUG_FOLDER}/.build-id/${buildId.slice(0, 2)}/${buildId.slice(2)}.debug`)
  }
  const link = debugLink(elf)
  if (link !== undefined && elf.path.startsWith('/')) {
    const folder = dirname(elf.path)
    const names = [
      join(folder, link.name),
      join(folder, '.debug', link.name),
      join(DEBUG_FOLDER, folder, link.name),
    ]
    paths.push(...names.filter((path) => path !== elf.path))
  }
  return paths
}

interface DebugLink {
  readonly name: string
  readonly checksum: number
}

/** `.gnu_debuglink`: a file name, zeros up to a multiple of four, and the CRC-32 of that file. */
function debugLink(elf: ElfImage): DebugLink | undefined {
  const section = elf.sections.find(({ name }) => name === '.gnu_debuglink')
  if (section === undefined || section.size > MAX_LINK_BYTES) return undefined
  const bytes = elf.sectionBytes(section)
  const name = new StringTable(bytes).at(0)
  // Another folder's files are none of its business.
  if (!name || name !== basename(name) || name === '..') return undefined
  const at = Math.ceil((Buffer.byteLength(name) + 1) / 4) * 4
  if (at + 4 > bytes.length) return undefined
  return { name, checksum: new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0, true) }
}

function symbolsOfDebugFile(elf: ElfImage, path: string): SymbolTable | undefined {
  try {
    const source = fileSource(path)
    try {
      return belongsTo(elf, source, path) ? symbolsOf(source, path) : undefined
    } finally {
      source.close()
    }
  } catch (error) {
    if (error instanceof ElfError || isSystemError(error)) return undefined
    throw error
  }
}

const isSystemError = (error: unknown) => error instanceof Error && 'syscall' in error

/** Equal build ids prove it, as in elfutils; the checksum, for which all of the file is read, is for files without. */
function belongsTo(elf: ElfImage, source: ByteSource, path: string): boolean {
  const id = sectionBuildId(source, path)
  if (id !== undefined && elf.facts.buildId !== undefined) return id === elf.facts.buildId
  const link = debugLink(elf)
  if (link === undefined || link.name !== basename(path)) return false
  let checksum = 0
  for (let at = 0; at < source.size; at += CHUNK_BYTES) {
    checksum = crc32(source.read(at, CHUNK_BYTES), checksum)
  }
  return checksum === link.checksum
}

function sectionBuildId(source: ByteSource, path: string): string | undefined {
  for (const section of readSections(source, readHeader(source, path))) {
    if (section.type !== SHT_NOTE) continue
    const id = findBuildId(source.read(section.fileOffset, Math.min(section.size, MAX_NOTE_BYTES)))
    if (id !== undefined) return id
  }
  return undefined
}

/** A debug file keeps the headers of a program, but hardly any of its bytes: no image can be made of it. */
function symbolsOf(source: ByteSource, path: string): SymbolTable | undefined {
  const sections = readSections(source, readHeader(source, path))
  const bytesOf = ({ type, fileOffset, size }: Section) =>
    type === SHT_NOBITS || size > MAX_TABLE_BYTES ? new Uint8Array(0) : source.read(fileOffset, size)
  const section = sections.find(({ type, size }) => type === SHT_SYMTAB && size > 0)
  const strings = section && sections[section.link]
  if (section === undefined || strings === undefined) return undefined
  return new SymbolTable(bytesOf(section), new StringTable(bytesOf(strings)), 'separate', sections)
}

function miniSymbols(elf: ElfImage): SymbolTable | undefined {
  const section = elf.sections.find(({ name }) => name === '.gnu_debugdata')
  if (section === undefined || section.size > MAX_MINI_IMAGE_BYTES) return undefined
  const image = decompressXz(elf.sectionBytes(section), MAX_MINI_IMAGE_BYTES)
  try {
    return image && symbolsOf(memorySource(image), elf.path)
  } catch (error) {
    if (error instanceof ElfError) return undefined
    throw error
  }
}
