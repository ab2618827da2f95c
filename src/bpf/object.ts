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
  /** Looked up when asked for: most programs of an object are not loaded. @throws UserError if the object is damaged */
  relocations(): BpfRelocation[]
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
const typeObject = 1
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
  return unlessDamaged(() => readObject(bytes))
}

/** Offsets and indices are not checked one by one: those that lead outside end in some error. */
function unlessDamaged<Result>(read: () => Result): Result {
  try {
    return read()
  } catch (cause) {
    throw cause instanceof UserError ? cause : damaged(cause)
  }
}

function damaged(cause?: unknown): UserError {
  return new UserError('the BPF object is damaged: reinstall utrace', { cause })
}

function readObject(bytes: Buffer): BpfObject {
  if (bytes.readUInt32BE(0) !== 0x7f454c46) throw damaged()
  const sections = readSections(bytes)
  const symbols = new SymbolTable(sections)
  const named = (name: string) => sections.findIndex((section) => section.name === name)
  const mapSection = named('maps')
  const constantSection = named('.rodata')

  const maps = new Map<string, BpfMapDefinition>()
  const programs = new Map<string, BpfProgramCode>()
  for (const symbol of symbols.named()) {
    if (symbol.section === mapSection && symbol.size > 0) {
      maps.set(symbol.name, readMapDefinition(sections[mapSection]!.bytes, symbol.value))
    } else if (symbol.type === typeFunction) {
      const dataSections = { map: mapSection, constant: constantSection }
      programs.set(symbol.name, readProgram(symbol, sections, symbols, dataSections))
    }
  }
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

/** Its symbols are read when they are asked for: nearly all are labels that the compiler has left. */
class SymbolTable {
  readonly #bytes: Buffer
  readonly #names: Buffer

  constructor(sections: readonly Section[]) {
    const table = sections.find((section) => section.type === sectionTypeSymbols)
    this.#bytes = table?.bytes ?? Buffer.alloc(0)
    this.#names = table === undefined ? this.#bytes : sections[table.link]!.bytes
  }

  /** Functions and data. */
  *named(): Iterable<Symbol> {
    for (let index = 0; (index + 1) * symbolBytes <= this.#bytes.length; index++) {
      const type = this.#bytes[index * symbolBytes + 4]! & 15
      if (type === typeFunction || type === typeObject) yield this.at(index)
    }
  }

  at(index: number): Symbol {
    const at = index * symbolBytes
    return {
      name: stringAt(this.#names, this.#bytes.readUInt32LE(at)),
      type: this.#bytes[at + 4]! & 15,
      section: this.#bytes.readUInt16LE(at + 6),
      value: Number(this.#bytes.readBigUInt64LE(at + 8)),
      size: Number(this.#bytes.readBigUInt64LE(at + 16)),
    }
  }
}

function readMapDefinition(bytes: Buffer, offset: number): BpfMapDefinition {
  const word = (index: number) => bytes.readUInt32LE(offset + index * 4)
  return { type: word(0), keySize: word(1), valueSize: word(2), maxEntries: word(3), flags: word(4) }
}

interface DataSections {
  readonly map: number
  readonly constant: number
}

function readProgram(
  symbol: Symbol,
  sections: readonly Section[],
  symbols: SymbolTable,
  dataSections: DataSections,
): BpfProgramCode {
  const section = sections[symbol.section]!
  const table = sections.find(({ type, info }) => type === sectionTypeRel && info === symbol.section)?.bytes
  const instructions = section.bytes.subarray(symbol.value, symbol.value + symbol.size)
  return {
    name: symbol.name,
    section: section.name,
    instructions,
    relocations: () => unlessDamaged(() => readRelocations(symbol, table, symbols, dataSections)),
  }
}

/** Those of one program, of the table of its section. */
function readRelocations(
  { value, size }: Symbol,
  table: Buffer | undefined,
  symbols: SymbolTable,
  dataSections: DataSections,
): BpfRelocation[] {
  const relocations: BpfRelocation[] = []
  for (let at = 0; table !== undefined && at + relocationBytes <= table.length; at += relocationBytes) {
    // The upper half is 0: sections are small.
    const offset = table.readUInt32LE(at) - value
    if (offset < 0 || offset >= size) continue
    const type = table.readUInt32LE(at + 8)
    const target = symbols.at(table.readUInt32LE(at + 12))
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
  return relocations
}

function stringAt(table: Buffer, offset: number): string {
  return table.toString('latin1', offset, table.indexOf(0, offset))
}
