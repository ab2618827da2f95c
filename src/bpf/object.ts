import { UserError } from '../base/errors.ts'

/**
 * The BPF object as clang writes it: a relocatable ELF file (EM_BPF). Only what utrace's own object uses is read:
 * programs, maps in a section `maps` (struct map_definition of bpf/utrace.bpf.c), constants in `.rodata`, and
 * relocations R_BPF_64_64 (map or constant) and R_BPF_64_32 (kernel function).
 * Format: https://docs.kernel.org/bpf/llvm_reloc.html
 */
export interface BpfObject {
  readonly programs: ReadonlyMap<string, BpfProgramCode>
  readonly maps: ReadonlyMap<string, BpfMapDefinition>
  readonly constants: Uint8Array
  readonly license: string
}

export interface BpfProgramCode {
  readonly name: string
  /** Section: tells the kind of program. */
  readonly section: string
  readonly instructions: Uint8Array
  readonly relocations: readonly BpfRelocation[]
}

export interface BpfRelocation {
  /** Byte offset of the instruction in the program. */
  readonly offset: number
  readonly target:
    | { readonly kind: 'map'; readonly name: string }
    | { readonly kind: 'constants' }
    | { readonly kind: 'kernel-function'; readonly name: string }
}

export interface BpfMapDefinition {
  readonly type: number
  readonly keySize: number
  readonly valueSize: number
  readonly maxEntries: number
  readonly flags: number
}

const sectionHeaderBytes = 64
const symbolBytes = 24
const relocationBytes = 16
const typeFunction = 2
const relocation64_64 = 1
const relocation64_32 = 10
const sectionUndefined = 0
const sectionTypeRel = 9
const sectionTypeSymbols = 2

interface Section {
  readonly name: string
  readonly type: number
  readonly info: number
  readonly link: number
  readonly bytes: Buffer
}

interface Symbol {
  readonly name: string
  readonly type: number
  readonly section: number
  readonly value: number
  readonly size: number
}

/** @throws UserError if the bytes are not a BPF object. */
export function readBpfObject(bytes: Buffer): BpfObject {
  try {
    return readObject(bytes)
  } catch (cause) {
    // Offsets and indices are not checked one by one: those that lead outside end in some error.
    throw cause instanceof UserError ? cause : damaged(cause)
  }
}

function damaged(cause?: unknown): UserError {
  return new UserError('the BPF object is damaged: reinstall utrace', { cause })
}

function readObject(bytes: Buffer): BpfObject {
  if (bytes.readUInt32BE(0) !== 0x7f454c46) throw damaged()
  const sections = readSections(bytes)
  const symbols = readSymbols(sections)
  const named = (name: string) => sections.findIndex((section) => section.name === name)
  const mapSection = named('maps')
  const constantSection = named('.rodata')

  const maps = new Map(
    symbols
      .filter((symbol) => symbol.section === mapSection && symbol.size > 0)
      .map((symbol) => [symbol.name, readMapDefinition(sections[mapSection]!.bytes, symbol.value)]),
  )
  const programs = new Map(
    symbols
      .filter((symbol) => symbol.type === typeFunction)
      .map((symbol) => [
        symbol.name,
        readProgram(symbol, sections, symbols, { map: mapSection, constant: constantSection }),
      ]),
  )
  const license = sections[named('license')]?.bytes.toString('latin1').replace(/\0.*$/s, '') ?? ''
  return { programs, maps, constants: sections[constantSection]?.bytes ?? new Uint8Array(), license }
}

function readSections(bytes: Buffer): Section[] {
  const tableOffset = Number(bytes.readBigUInt64LE(40))
  const count = bytes.readUInt16LE(60)
  const nameIndex = bytes.readUInt16LE(62)
  if (tableOffset + count * sectionHeaderBytes > bytes.length) throw damaged()
  const raw = Array.from({ length: count }, (_, index) => {
    const at = tableOffset + index * sectionHeaderBytes
    const offset = Number(bytes.readBigUInt64LE(at + 24))
    const size = Number(bytes.readBigUInt64LE(at + 32))
    if (offset + size > bytes.length) throw damaged()
    return {
      nameOffset: bytes.readUInt32LE(at),
      type: bytes.readUInt32LE(at + 4),
      link: bytes.readUInt32LE(at + 40),
      info: bytes.readUInt32LE(at + 44),
      bytes: bytes.subarray(offset, offset + size),
    }
  })
  const names = raw[nameIndex]!.bytes
  return raw.map(({ nameOffset, ...section }) => ({ ...section, name: stringAt(names, nameOffset) }))
}

function readSymbols(sections: readonly Section[]): Symbol[] {
  const table = sections.find((section) => section.type === sectionTypeSymbols)
  if (table === undefined) return []
  const names = sections[table.link]!.bytes
  return Array.from({ length: table.bytes.length / symbolBytes }, (_, index) => {
    const at = index * symbolBytes
    return {
      name: stringAt(names, table.bytes.readUInt32LE(at)),
      type: table.bytes[at + 4]! & 15,
      section: table.bytes.readUInt16LE(at + 6),
      value: Number(table.bytes.readBigUInt64LE(at + 8)),
      size: Number(table.bytes.readBigUInt64LE(at + 16)),
    }
  })
}

function readMapDefinition(bytes: Buffer, offset: number): BpfMapDefinition {
  const word = (index: number) => bytes.readUInt32LE(offset + index * 4)
  return { type: word(0), keySize: word(1), valueSize: word(2), maxEntries: word(3), flags: word(4) }
}

function readProgram(
  symbol: Symbol,
  sections: readonly Section[],
  symbols: readonly Symbol[],
  dataSections: { readonly map: number; readonly constant: number },
): BpfProgramCode {
  const section = sections[symbol.section]!
  const table = sections.find(({ type, info }) => type === sectionTypeRel && info === symbol.section)?.bytes
  const relocations: BpfRelocation[] = []
  for (let at = 0; table !== undefined && at < table.length; at += relocationBytes) {
    const offset = Number(table.readBigUInt64LE(at)) - symbol.value
    if (offset < 0 || offset >= symbol.size) continue
    const type = table.readUInt32LE(at + 8)
    const target = symbols[table.readUInt32LE(at + 12)]!
    if (type === relocation64_64 && target.section === dataSections.map) {
      relocations.push({ offset, target: { kind: 'map', name: target.name } })
    } else if (type === relocation64_64 && target.section === dataSections.constant) {
      relocations.push({ offset, target: { kind: 'constants' } })
    } else if (type === relocation64_32 && target.section === sectionUndefined) {
      relocations.push({ offset, target: { kind: 'kernel-function', name: target.name } })
    } else {
      throw new UserError(`the BPF object has a relocation of type ${type} that utrace does not know`)
    }
  }
  const instructions = section.bytes.subarray(symbol.value, symbol.value + symbol.size)
  return { name: symbol.name, section: section.name, instructions, relocations }
}

function stringAt(table: Buffer, offset: number): string {
  return table.toString('latin1', offset, table.indexOf(0, offset))
}
