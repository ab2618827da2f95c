import { ByteReader } from '../base/byte-reader.ts'
import type { ByteSource } from '../base/byte-source.ts'
import { ElfError } from './error.ts'

/** The fields of `Elf64_Ehdr` that the rest of the reader needs. */
export interface ElfHeader {
  readonly type: 'executable' | 'shared'
  readonly entry: number
  readonly programHeaderOffset: number
  readonly programHeaderCount: number
  readonly sectionHeaderOffset: number
  readonly sectionHeaderCount: number
  readonly sectionNameIndex: number
}

const HEADER_SIZE = 64
const PROGRAM_HEADER_SIZE = 56
const SECTION_HEADER_SIZE = 64
const ELFCLASS64 = 2
const ELFDATA2LSB = 1
const ET_EXEC = 2
const ET_DYN = 3
const EM_X86_64 = 62

/** `e_machine` of what people are likely to hand over by mistake (elf.h). */
const MACHINES: Readonly<Record<number, string>> = {
  2: 'sparc',
  3: 'i386',
  8: 'mips',
  20: 'powerpc',
  21: 'powerpc64',
  22: 's390',
  40: 'arm',
  43: 'sparc64',
  50: 'ia64',
  183: 'aarch64',
  243: 'riscv',
  247: 'bpf',
  258: 'loongarch',
}

/** What `e_type` means for a file that is neither a program nor a library. */
const OTHER_TYPES: Readonly<Record<number, string>> = {
  1: 'an object file: link it into a program first',
  4: 'a core dump: give the program that wrote it',
}

/**
 * Reads the ELF header (System V gABI, chapter 4) and accepts 64-bit little-endian x86-64 programs and libraries.
 * @throws ElfError that names what the file is instead
 */
export function readHeader(source: ByteSource, path: string): ElfHeader {
  const bytes = source.read(0, HEADER_SIZE)
  if (bytes[0] === 0x23 && bytes[1] === 0x21) throw scriptError(source, path)
  if (bytes[0] !== 0x7f || bytes[1] !== 0x45 || bytes[2] !== 0x4c || bytes[3] !== 0x46) {
    const what = bytes.length === 0 ? 'an empty file, not an ELF program' : 'not an ELF program or library'
    throw new ElfError('not-elf', path, `${what}: give a compiled Linux program`)
  }
  if (bytes.length < HEADER_SIZE) throw damaged(path, 'it ends inside its ELF header')

  const machine = machineName(bytes)
  if (bytes[4] !== ELFCLASS64) {
    const reason = `32-bit (${machine}): only 64-bit x86-64 programs can be traced`
    throw new ElfError('32-bit', path, reason)
  }
  if (bytes[5] !== ELFDATA2LSB || machine !== 'x86-64') {
    const reason = `built for ${machine}: only x86-64 programs can be traced`
    throw new ElfError('foreign-machine', path, reason)
  }

  const fields = new ByteReader(bytes, 16)
  const type = fields.u16()
  if (type !== ET_EXEC && type !== ET_DYN) {
    const reason = OTHER_TYPES[type] ?? `ELF type ${type}, neither a program nor a library`
    throw new ElfError('not-loadable', path, reason)
  }
  fields.offset = 24
  const entry = fields.u64()
  const programHeaderOffset = fields.u64()
  const sectionHeaderOffset = fields.u64()
  fields.offset = 54
  const programHeaderSize = fields.u16()
  const programHeaderCount = fields.u16()
  const sectionHeaderSize = fields.u16()
  const sectionHeaderCount = fields.u16()
  const sectionNameIndex = fields.u16()
  if (programHeaderCount === 0) throw damaged(path, 'it has no program headers')
  if (programHeaderSize !== PROGRAM_HEADER_SIZE) {
    throw damaged(
      path,
      `its program headers are ${programHeaderSize} bytes long instead of ${PROGRAM_HEADER_SIZE}`,
    )
  }
  return {
    type: type === ET_EXEC ? 'executable' : 'shared',
    entry,
    programHeaderOffset,
    programHeaderCount,
    // Nothing that runs needs section headers, and tools that shrink binaries drop or mangle them.
    sectionHeaderOffset: sectionHeaderSize === SECTION_HEADER_SIZE ? sectionHeaderOffset : 0,
    sectionHeaderCount,
    sectionNameIndex,
  }
}

export function damaged(path: string, reason: string): ElfError {
  return new ElfError('damaged', path, `damaged ELF file: ${reason}; build or copy it anew`, {})
}

function machineName(bytes: Uint8Array): string {
  const bigEndian = bytes[5] === 2
  const machine = bigEndian ? bytes[18]! * 256 + bytes[19]! : bytes[19]! * 256 + bytes[18]!
  if (machine === EM_X86_64) return bytes[4] === ELFCLASS64 ? 'x86-64' : 'x32'
  return MACHINES[machine] ?? `machine type ${machine}`
}

/** The kernel, too, looks at 256 bytes only (`BINPRM_BUF_SIZE`) and passes what follows the first space as one argument. */
function scriptError(source: ByteSource, path: string): ElfError {
  const line = Buffer.from(source.read(2, 254))
    .toString('utf8')
    .split(/[\n\0]/, 1)[0]!
    .trim()
  const [, interpreter = '', argument] = /^(\S*)(?:\s+(.*))?$/.exec(line) ?? []
  const by = interpreter === '' ? '' : ` for ${interpreter}`
  const fix =
    interpreter === '' ? 'trace a compiled program' : `trace its interpreter: ${interpreter} ${path}`
  return new ElfError('script', path, `a script${by}, not an ELF program: ${fix}`, {
    script: { interpreter, argument },
  })
}
