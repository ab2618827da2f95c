import { ByteReader } from '../base/byte-reader.ts'
import type { ByteSource } from '../base/byte-source.ts'
import { asFileOffset, asVirtualAddress } from '../base/units.ts'
import type { LoadSegment } from './facts.ts'
import { damaged, type ElfHeader } from './header.ts'

/** An `Elf64_Phdr`. */
export interface ProgramHeader {
  readonly type: number
  readonly flags: number
  readonly fileOffset: number
  readonly address: number
  readonly fileSize: number
  readonly memorySize: number
}

const PT_LOAD = 1
export const PT_DYNAMIC = 2
export const PT_INTERP = 3
export const PT_NOTE = 4
export const PT_GNU_EH_FRAME = 0x6474e550
const PF_X = 1
const PF_W = 2

/** The kernel refuses longer tables too (`load_elf_phdrs` in fs/binfmt_elf.c). */
const TABLE_LIMIT_BYTES = 65536
const ENTRY_SIZE = 56

/** @throws ElfError for a table that lies outside the file or is longer than the kernel takes */
export function readProgramHeaders(source: ByteSource, header: ElfHeader, path: string): ProgramHeader[] {
  const size = header.programHeaderCount * ENTRY_SIZE
  if (size > TABLE_LIMIT_BYTES)
    throw damaged(path, `${header.programHeaderCount} program headers are too many`)
  const fields = new ByteReader(source.read(header.programHeaderOffset, size))
  if (fields.bytes.length < size) throw damaged(path, 'its program headers lie beyond its end')
  return Array.from({ length: header.programHeaderCount }, () => {
    const type = fields.u32()
    const flags = fields.u32()
    const fileOffset = fields.u64()
    const address = fields.u64()
    fields.skip(8)
    const fileSize = fields.u64()
    const memorySize = fields.u64()
    fields.skip(8)
    return { type, flags, fileOffset, address, fileSize, memorySize }
  })
}

/** @throws ElfError when a segment lies outside the file or outside the addresses of user space */
export function loadSegments(
  headers: readonly ProgramHeader[],
  fileSize: number,
  path: string,
): LoadSegment[] {
  const segments = headers.filter((header) => header.type === PT_LOAD)
  if (segments.length === 0) throw damaged(path, 'it has no segment to load')
  return segments.map((segment) => {
    if (segment.fileOffset + segment.fileSize > fileSize)
      throw damaged(path, 'it is shorter than its segments')
    if (
      segment.address + segment.memorySize > Number.MAX_SAFE_INTEGER ||
      segment.fileSize > segment.memorySize
    ) {
      throw damaged(path, 'a segment has an impossible size or address')
    }
    return {
      address: asVirtualAddress(segment.address),
      fileOffset: asFileOffset(segment.fileOffset),
      fileSize: segment.fileSize,
      memorySize: segment.memorySize,
      executable: (segment.flags & PF_X) !== 0,
      writable: (segment.flags & PF_W) !== 0,
    }
  })
}
