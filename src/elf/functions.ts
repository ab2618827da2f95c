import { asFileOffset, asVirtualAddress } from '../base/units.ts'
import { segmentAt } from './address.ts'
import { codeSymbols } from './code-symbols.ts'
import type { FunctionSymbol, LoadSegment } from './facts.ts'
import type { ElfImage } from './image.ts'
import {
  dynamicSymbols,
  STB_LOCAL,
  STB_WEAK,
  STT_GNU_IFUNC,
  STT_NOTYPE,
  type SymbolTable,
  staticSymbols,
} from './symbol-table.ts'
import { readUnwindTable, type UnwindTable } from './unwind-table.ts'

/**
 * The functions that the symbol tables name, one per address, sorted by address: `.symtab` where it is there, and
 * `.dynsym` besides. Symbols without code in the file (data, undefined, `.bss`) are left out. What has no size
 * ends where the unwind table says, else at the next symbol, else with its section or segment.
 * @throws ElfError for tables of absurd size
 */
export function readFunctions(elf: ElfImage): FunctionSymbol[] {
  const tables = [staticSymbols(elf), dynamicSymbols(elf)].filter((table) => table !== undefined)
  const { address, index } = codeSymbols(elf, tables)
  const ends = new EndFinder(elf)
  const functions: FunctionSymbol[] = []
  for (let start = 0, end = 0; start < address.length; start = end) {
    const at = address[start]!
    for (end = start + 1; address[end] === at; ) end++
    const names = namesOf(tables, index, start, end)
    if (names.length > 0) functions.push(describe(at, names, ends, address[end]))
  }
  return functions
}

interface Name {
  readonly text: string
  readonly table: SymbolTable
  readonly symbol: number
}

/** The names of the symbols of one address; most functions are in both tables under one name, which counts once. */
function namesOf(tables: readonly SymbolTable[], index: Uint32Array, start: number, end: number): Name[] {
  const names: Name[] = []
  for (let at = start; at < end; at++) {
    const isInFirst = index[at]! < tables[0]!.count
    const table = isInFirst ? tables[0]! : tables[1]!
    const symbol = isInFirst ? index[at]! : index[at]! - tables[0]!.count
    const only = names.length === 1 ? names[0]! : undefined
    if (
      only &&
      table.strings.isSame(table.nameOffset(symbol), only.table.strings, only.table.nameOffset(only.symbol))
    ) {
      continue
    }
    const text = table.strings.unversionedAt(table.nameOffset(symbol))
    if (text && text !== only?.text) names.push({ text, table, symbol })
  }
  return names
}

function describe(
  at: number,
  names: readonly Name[],
  ends: EndFinder,
  next: number | undefined,
): FunctionSymbol {
  const best = names.length === 1 ? names[0]! : bestName(names)
  const segment = ends.segmentAt(at)
  const size = best.table.size(best.symbol) || largestSize(names) || ends.find(at, best, next) - at
  return {
    symbol: best.text,
    aliases: names.length === 1 ? noAliases : aliasesOf(best, names),
    address: asVirtualAddress(at),
    fileOffset: asFileOffset(at - segment.address + segment.fileOffset),
    size: Math.min(size, segment.address + segment.fileSize - at),
    isIfunc: names.some(isIfunc),
    source: best.table.isDynamic ? 'dynsym' : 'symtab',
    isLabel: isLabel(best),
  }
}

/** Where code ends whose symbol has no size. */
class EndFinder {
  readonly #elf: ElfImage
  #segment: LoadSegment | undefined
  #unwind: UnwindTable | undefined

  constructor(elf: ElfImage) {
    this.#elf = elf
  }

  /** The segment of an address that is known to lie in one. */
  segmentAt(address: number): LoadSegment {
    const segment = this.#segment
    if (segment && address >= segment.address && address < segment.address + segment.fileSize) return segment
    this.#segment = segmentAt(this.#elf.facts, address)!
    return this.#segment
  }

  find(address: number, { table, symbol }: Name, next: number | undefined): number {
    this.#unwind ??= readUnwindTable(this.#elf)
    const range = this.#unwind.lookup(asVirtualAddress(address))
    if (range?.address === address) return range.address + range.size
    const segment = this.segmentAt(address)
    const section = this.#elf.sections[table.sectionIndex(symbol)]
    const sectionEnd = section ? section.address + section.size : 0
    return Math.min(
      next ?? Number.POSITIVE_INFINITY,
      sectionEnd > address ? sectionEnd : Number.POSITIVE_INFINITY,
      segment.address + segment.fileSize,
    )
  }
}

const noAliases: readonly string[] = []

/**
 * What people call the function: `write` rather than `__write` or `__libc_write`, though libraries make the plain
 * name the weak one; never a file-local name or a bare label where there is another.
 */
function bestName(names: readonly Name[]): Name {
  return names.reduce((best, name) => (compareNames(name, best) < 0 ? name : best))
}

function compareNames(a: Name, b: Name): number {
  return (
    flag(a, isLabel) - flag(b, isLabel) ||
    flag(a, isLocal) - flag(b, isLocal) ||
    leadingUnderscores(a.text) - leadingUnderscores(b.text) ||
    a.text.length - b.text.length ||
    flag(a, isWeak) - flag(b, isWeak) ||
    (a.text < b.text ? -1 : a.text > b.text ? 1 : 0)
  )
}

const isIfunc = ({ table, symbol }: Name) => table.type(symbol) === STT_GNU_IFUNC
const flag = (name: Name, test: (name: Name) => boolean) => (test(name) ? 1 : 0)
const isLabel = ({ table, symbol }: Name) => table.type(symbol) === STT_NOTYPE
const isLocal = ({ table, symbol }: Name) => table.binding(symbol) === STB_LOCAL
const isWeak = ({ table, symbol }: Name) => table.binding(symbol) === STB_WEAK

function leadingUnderscores(text: string): number {
  let count = 0
  while (text.charCodeAt(count) === 0x5f) count++
  return count
}

function aliasesOf(best: Name, names: readonly Name[]): readonly string[] {
  const aliases = new Set(names.map((name) => name.text))
  aliases.delete(best.text)
  return aliases.size === 0 ? noAliases : [...aliases].sort()
}

function largestSize(names: readonly Name[]): number {
  return names.reduce((most, { table, symbol }) => Math.max(most, table.size(symbol)), 0)
}
