import { asVirtualAddress } from '../base/units.ts'
import { segmentAt } from './address.ts'
import { codeSymbols } from './code-symbols.ts'
import type { FunctionSymbol, LoadSegment } from './facts.ts'
import { FunctionList } from './function-list.ts'
import { aliasesOf, bestName, type Name } from './function-names.ts'
import type { ElfImage } from './image.ts'
import { dynamicSymbols, STT_GNU_IFUNC, type SymbolTable, staticSymbols } from './symbol-table.ts'
import { readUnwindTable, type UnwindTable } from './unwind-table.ts'

/**
 * The functions that the symbol tables name, one per address, sorted by address: `.symtab` where it is there, else the
 * one that was split off, and `.dynsym` besides. Symbols without code in the file (data, undefined, `.bss`) are left
 * out. What has no size ends where the unwind table says, else at the next symbol, else with its section or segment.
 * @param separate what `findSeparateSymbols` has found
 * @throws ElfError for tables of absurd size
 */
export function readFunctions(elf: ElfImage, separate?: SymbolTable): FunctionSymbol[] {
  const tables = [staticSymbols(elf) ?? separate, dynamicSymbols(elf)].filter((table) => table !== undefined)
  return tables.length === 0 ? [] : new FunctionReader(elf, tables).read()
}

/** Small methods that run once per address: the compiler has them fast long before it is through with one large loop. */
class FunctionReader {
  readonly #tables: readonly SymbolTable[]
  readonly #firstCount: number
  readonly #address: Float64Array
  readonly #index: Uint32Array
  readonly #list: FunctionList
  readonly #ends: EndFinder

  constructor(elf: ElfImage, tables: readonly SymbolTable[]) {
    const { address, index } = codeSymbols(elf, tables)
    this.#tables = tables
    this.#firstCount = tables[0]!.count
    this.#address = address
    this.#index = index
    this.#list = new FunctionList(elf, tables, address.length)
    this.#ends = new EndFinder(elf)
  }

  read(): FunctionSymbol[] {
    const address = this.#address
    for (let start = 0, end = 0; start < address.length; start = end) {
      for (end = start + 1; address[end] === address[start]; ) end++
      if (this.#haveOneName(start, end)) {
        this.#add(start, this.#tableAt(start), this.#symbolAt(start), 0, end)
      } else {
        this.#addNamed(start, end)
      }
    }
    return this.#list.functions()
  }

  #tableAt(place: number): number {
    return this.#index[place]! < this.#firstCount ? 0 : 1
  }

  #symbolAt(place: number): number {
    const index = this.#index[place]!
    return index < this.#firstCount ? index : index - this.#firstCount
  }

  /** Most functions are in both tables under one name: found out without making a string. */
  #haveOneName(start: number, end: number): boolean {
    const table = this.#tables[this.#tableAt(start)]!
    const name = table.nameOffset(this.#symbolAt(start))
    if (!table.strings.hasNameAt(name)) return false
    for (let place = start + 1; place < end; place++) {
      const other = this.#tables[this.#tableAt(place)]!
      if (!table.strings.isSame(name, other.strings, other.nameOffset(this.#symbolAt(place)))) return false
    }
    return true
  }

  #addNamed(start: number, end: number): void {
    const names: Name[] = []
    for (let place = start; place < end; place++) {
      const table = this.#tables[this.#tableAt(place)]!
      const symbol = this.#symbolAt(place)
      const offset = table.nameOffset(symbol)
      if (table.strings.hasNameAt(offset)) {
        names.push({ text: table.strings.unversionedAt(offset), table, symbol })
      }
    }
    if (names.length === 0) return
    const best = bestName(names)
    const aliases = aliasesOf(best, names)
    if (aliases.length > 0) this.#list.aliases.set(this.#list.count, aliases)
    const largest = names.reduce((most, { table, symbol }) => Math.max(most, table.size(symbol)), 0)
    if (names.some(({ table, symbol }) => table.type(symbol) === STT_GNU_IFUNC)) {
      this.#list.isIfunc[this.#list.count] = 1
    }
    this.#add(start, this.#tables.indexOf(best.table), best.symbol, largest, end)
  }

  /** @param otherSize where the symbol has none */
  #add(place: number, tableNumber: number, symbol: number, otherSize: number, next: number): void {
    const list = this.#list
    const table = this.#tables[tableNumber]!
    const at = this.#address[place]!
    const added = list.count++
    const size =
      table.size(symbol) || otherSize || this.#ends.find(at, table, symbol, this.#address[next]) - at
    list.address[added] = at
    list.size[added] = Math.min(size, this.#ends.segmentEnd(at) - at)
    list.table[added] = tableNumber
    list.symbol[added] = symbol
    if (table.type(symbol) === STT_GNU_IFUNC) list.isIfunc[added] = 1
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

  /** Of the bytes in the file, for an address that is known to lie in a segment. */
  segmentEnd(address: number): number {
    let segment = this.#segment
    if (!segment || address < segment.address || address >= segment.address + segment.fileSize) {
      segment = segmentAt(this.#elf.facts, address)!
      this.#segment = segment
    }
    return segment.address + segment.fileSize
  }

  find(address: number, table: SymbolTable, symbol: number, next: number | undefined): number {
    this.#unwind ??= readUnwindTable(this.#elf)
    const range = this.#unwind.lookup(asVirtualAddress(address))
    if (range?.address === address) return range.address + range.size
    const section = table.sections[table.sectionIndex(symbol)]
    const sectionEnd = section ? section.address + section.size : 0
    return Math.min(
      next ?? Number.POSITIVE_INFINITY,
      sectionEnd > address ? sectionEnd : Number.POSITIVE_INFINITY,
      this.segmentEnd(address),
    )
  }
}
