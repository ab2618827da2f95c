import { asFileOffset, asVirtualAddress } from '../base/units.ts'
import { segmentAt } from './address.ts'
import { codeSymbols } from './code-symbols.ts'
import type { FunctionSymbol } from './facts.ts'
import { EndFinder } from './function-ends.ts'
import { aliasesOf, bestName, type Name } from './function-names.ts'
import type { ElfImage } from './image.ts'
import { STT_GNU_IFUNC, STT_NOTYPE, type SymbolTable } from './symbol-table.ts'

/**
 * The functions of a file as columns. A large program has 100,000 of them and a trace asks for a few, so that a function is
 * nothing but its place in the columns, and what its symbols say is found out when somebody asks.
 */
export class FunctionList {
  readonly elf: ElfImage
  readonly #tables: readonly SymbolTable[]
  readonly #firstCount: number
  readonly #ends: EndFinder
  /** Symbols sorted by address, several for most functions: see `codeSymbols`. */
  readonly #symbolAddress: Float64Array
  readonly #symbolIndex: Uint32Array
  /** Where the symbols of a function begin. */
  readonly #start: Uint32Array
  readonly #count: number
  readonly #isKnown: Uint8Array
  readonly #size: Float64Array
  /** The symbol with the best name: which table, and where in it. */
  readonly #table: Uint8Array
  readonly #symbol: Uint32Array
  readonly #isIfunc: Uint8Array
  readonly #aliases = new Map<number, readonly string[]>()

  constructor(elf: ElfImage, tables: readonly SymbolTable[]) {
    const { address, index } = codeSymbols(elf, tables)
    this.elf = elf
    this.#tables = tables
    this.#firstCount = tables[0]!.count
    this.#ends = new EndFinder(elf)
    this.#symbolAddress = address
    this.#symbolIndex = index
    this.#start = new Uint32Array(address.length)
    this.#count = this.#findStarts()
    this.#isKnown = new Uint8Array(this.#count)
    this.#size = new Float64Array(this.#count)
    this.#table = new Uint8Array(this.#count)
    this.#symbol = new Uint32Array(this.#count)
    this.#isIfunc = new Uint8Array(this.#count)
  }

  functions(): FunctionSymbol[] {
    return Array.from({ length: this.#count }, (_, at) => new ListedFunction(this, at))
  }

  address(at: number): number {
    return this.#symbolAddress[this.#start[at]!]!
  }

  size(at: number): number {
    this.#know(at)
    return this.#size[at]!
  }

  /** The table of the symbol with the best name. */
  table(at: number): SymbolTable {
    this.#know(at)
    return this.#tables[this.#table[at]!]!
  }

  /** The symbol with the best name, in `table`. */
  symbol(at: number): number {
    this.#know(at)
    return this.#symbol[at]!
  }

  isIfunc(at: number): boolean {
    this.#know(at)
    return this.#isIfunc[at] === 1
  }

  aliases(at: number): readonly string[] {
    this.#know(at)
    return this.#aliases.get(at) ?? noAliases
  }

  /** Fills `#start`. @returns the number of functions: of addresses that have a name */
  #findStarts(): number {
    const address = this.#symbolAddress
    let count = 0
    for (let start = 0, end = 0; start < address.length; start = end) {
      end = this.#endOf(start)
      for (let place = start; place < end; place++) {
        if (!this.#hasName(place)) continue
        this.#start[count++] = start
        break
      }
    }
    return count
  }

  /** The place behind the symbols of an address. */
  #endOf(start: number): number {
    const address = this.#symbolAddress
    let end = start + 1
    while (address[end] === address[start]) end++
    return end
  }

  #hasName(place: number): boolean {
    const table = this.#tables[this.#tableAt(place)]!
    return table.strings.hasNameAt(table.nameOffset(this.#symbolAt(place)))
  }

  #tableAt(place: number): number {
    return this.#symbolIndex[place]! < this.#firstCount ? 0 : 1
  }

  #symbolAt(place: number): number {
    const index = this.#symbolIndex[place]!
    return index < this.#firstCount ? index : index - this.#firstCount
  }

  #know(at: number): void {
    if (this.#isKnown[at] === 1) return
    this.#isKnown[at] = 1
    const start = this.#start[at]!
    const end = this.#endOf(start)
    if (this.#haveOneName(start, end)) this.#fill(at, this.#tableAt(start), this.#symbolAt(start), 0, end)
    else this.#choose(at, start, end)
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

  #choose(at: number, start: number, end: number): void {
    const names: Name[] = []
    for (let place = start; place < end; place++) {
      const table = this.#tables[this.#tableAt(place)]!
      const symbol = this.#symbolAt(place)
      const offset = table.nameOffset(symbol)
      if (table.strings.hasNameAt(offset)) {
        names.push({ text: table.strings.unversionedAt(offset), table, symbol })
      }
    }
    const best = bestName(names)
    const aliases = aliasesOf(best, names)
    if (aliases.length > 0) this.#aliases.set(at, aliases)
    const largest = names.reduce((most, { table, symbol }) => Math.max(most, table.size(symbol)), 0)
    this.#fill(at, this.#tables.indexOf(best.table), best.symbol, largest, end)
    if (names.some(({ table, symbol }) => table.type(symbol) === STT_GNU_IFUNC)) this.#isIfunc[at] = 1
  }

  /** @param otherSize where the symbol has none */
  #fill(at: number, tableNumber: number, symbol: number, otherSize: number, end: number): void {
    const table = this.#tables[tableNumber]!
    const address = this.address(at)
    const size =
      table.size(symbol) ||
      otherSize ||
      this.#ends.find(address, table, symbol, this.#symbolAddress[end]) - address
    this.#size[at] = Math.min(size, this.#ends.segmentEnd(address) - address)
    this.#table[at] = tableNumber
    this.#symbol[at] = symbol
    if (table.type(symbol) === STT_GNU_IFUNC) this.#isIfunc[at] = 1
  }
}

const noAliases: readonly string[] = []

class ListedFunction implements FunctionSymbol {
  readonly #list: FunctionList
  readonly #at: number

  constructor(list: FunctionList, at: number) {
    this.#list = list
    this.#at = at
  }

  get symbol() {
    const table = this.#list.table(this.#at)
    return table.strings.unversionedAt(table.nameOffset(this.#list.symbol(this.#at)))
  }

  get aliases() {
    return this.#list.aliases(this.#at)
  }

  get address() {
    return asVirtualAddress(this.#list.address(this.#at))
  }

  get fileOffset() {
    const segment = segmentAt(this.#list.elf.facts, this.address)!
    return asFileOffset(this.address - segment.address + segment.fileOffset)
  }

  get size() {
    return this.#list.size(this.#at)
  }

  get isIfunc() {
    return this.#list.isIfunc(this.#at)
  }

  get source() {
    return this.#list.table(this.#at).origin
  }

  get isLabel() {
    return this.#list.table(this.#at).type(this.#list.symbol(this.#at)) === STT_NOTYPE
  }
}
