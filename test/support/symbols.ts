import { readFileSync } from 'node:fs'

export interface FunctionSymbol {
  readonly name: string
  readonly address: number
  readonly size: number
}

const sectionSymtab = 2
const symbolEntrySize = 24
const typeFunction = 2

/**
 * The function symbols that an ELF file defines, from its `.symtab`, and the address of `anchor` if it has one.
 * Written apart from src/elf, for files that the suite has built itself: the oracle shares no code with what it judges.
 */
export function readSymbols(path: string): {
  functions: FunctionSymbol[]
  addressOf(name: string): number | undefined
} {
  const file = readFileSync(path)
  const sectionAt = (index: number) => {
    const at = Number(file.readBigUInt64LE(40)) + index * file.readUInt16LE(58)
    return {
      type: file.readUInt32LE(at + 4),
      offset: Number(file.readBigUInt64LE(at + 24)),
      size: Number(file.readBigUInt64LE(at + 32)),
      link: file.readUInt32LE(at + 40),
    }
  }
  const functions: FunctionSymbol[] = []
  const addresses = new Map<string, number>()
  for (let index = 0; index < file.readUInt16LE(60); index++) {
    const section = sectionAt(index)
    if (section.type !== sectionSymtab) continue
    const names = sectionAt(section.link)
    for (let at = section.offset; at < section.offset + section.size; at += symbolEntrySize) {
      if (file.readUInt16LE(at + 6) === 0) continue
      const start = names.offset + file.readUInt32LE(at)
      const name = file.toString('utf8', start, file.indexOf(0, start))
      const address = Number(file.readBigUInt64LE(at + 8))
      addresses.set(name, address)
      if ((file[at + 4]! & 15) === typeFunction) {
        functions.push({ name, address, size: Number(file.readBigUInt64LE(at + 16)) })
      }
    }
  }
  return { functions, addressOf: (name) => addresses.get(name) }
}
