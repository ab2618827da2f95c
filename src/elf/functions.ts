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
  const fromSymtab = staticSymbols(elf)
  const fromDynsym = dynamicSymbols(elf)
  const { address, index } = codeSymbols(
    elf,
    [fromSymtab, fromDynsym].filter((table) => table !== undefined),
  )
  const symtabCount = fromSymtab?.count ?? 0
  const functions: FunctionSymbol[] = []
  let segment: LoadSegment | undefined
  let unwind: UnwindTable | undefined

  for (let start = 0, end = 0; start < address.length; start = end) {
    const at = address[start]!
    let first: Name | undefined
    let all: Name[] | undefined
    for (end = start; end < address.length && address[end] === at; end++) {
      const inSymtab = index[end]! < symtabCount
      const table = (inSymtab ? fromSymtab : fromDynsym)!
      const symbol = inSymtab ? index[end]! : index[end]! - symtabCount
      const text = table.strings.unversionedAt(table.nameOffset(symbol))
      // Most functions are in both tables under one name: nothing more to allocate for them.
      if (!text || (!all && text === first?.text)) continue
      const name: Name = { text, table, symbol }
      if (all) all.push(name)
      else if (first) all = [first, name]
      else first = name
    }
    if (!first) continue
    if (!segment || at >= segment.address + segment.fileSize) segment = segmentAt(elf.facts, at)!
    const best = all ? bestName(all) : first
    const segmentEnd = segment.address + segment.fileSize
    let size = best.table.size(best.symbol) || (all ? largestSize(all) : 0)
    if (size === 0) {
      unwind ??= readUnwindTable(elf)
      const range = unwind.lookup(asVirtualAddress(at))
      size =
        range?.address === at ? range.size : Math.min(address[end] ?? segmentEnd, sectionEnd(elf, best)) - at
    }
    functions.push({
      symbol: best.text,
      aliases: all ? aliasesOf(best, all) : noAliases,
      address: asVirtualAddress(at),
      fileOffset: asFileOffset(at - segment.address + segment.fileOffset),
      size: Math.min(size, segmentEnd - at),
      isIfunc: isIfunc(first) || (all?.some(isIfunc) ?? false),
      source: best.table === fromSymtab ? 'symtab' : 'dynsym',
      isLabel: isLabel(best),
    })
  }
  return functions
}

interface Name {
  readonly text: string
  readonly table: SymbolTable
  readonly symbol: number
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

/** Where the section of a symbol ends, for the last function of a section. */
function sectionEnd(elf: ElfImage, { table, symbol }: Name): number {
  const section = elf.sections[table.sectionIndex(symbol)]
  const end = section ? section.address + section.size : 0
  return end > table.value(symbol) ? end : Number.POSITIVE_INFINITY
}
