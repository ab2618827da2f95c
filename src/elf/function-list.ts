import { asFileOffset, asVirtualAddress } from '../base/units.ts'
import { segmentAt } from './address.ts'
import type { FunctionSymbol } from './facts.ts'
import type { ElfImage } from './image.ts'
import { STT_NOTYPE, type SymbolTable } from './symbol-table.ts'

/**
 * The functions of a file as columns. A large program has 100,000 of them and a trace asks for a few, so that names are
 * made when somebody asks, and a function is nothing but its place in the columns.
 */
export class FunctionList {
  readonly elf: ElfImage
  readonly tables: readonly SymbolTable[]
  readonly address: Float64Array
  readonly size: Float64Array
  /** The symbol with the best name: which table, and where in it. */
  readonly table: Uint8Array
  readonly symbol: Uint32Array
  readonly isIfunc: Uint8Array
  readonly aliases = new Map<number, readonly string[]>()
  count = 0

  constructor(elf: ElfImage, tables: readonly SymbolTable[], capacity: number) {
    this.elf = elf
    this.tables = tables
    this.address = new Float64Array(capacity)
    this.size = new Float64Array(capacity)
    this.table = new Uint8Array(capacity)
    this.symbol = new Uint32Array(capacity)
    this.isIfunc = new Uint8Array(capacity)
  }

  functions(): FunctionSymbol[] {
    return Array.from({ length: this.count }, (_, at) => new ListedFunction(this, at))
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

  get #table(): SymbolTable {
    return this.#list.tables[this.#list.table[this.#at]!]!
  }

  get #symbol(): number {
    return this.#list.symbol[this.#at]!
  }

  get symbol() {
    const table = this.#table
    return table.strings.unversionedAt(table.nameOffset(this.#symbol))
  }

  get aliases() {
    return this.#list.aliases.get(this.#at) ?? noAliases
  }

  get address() {
    return asVirtualAddress(this.#list.address[this.#at]!)
  }

  get fileOffset() {
    const segment = segmentAt(this.#list.elf.facts, this.address)!
    return asFileOffset(this.address - segment.address + segment.fileOffset)
  }

  get size() {
    return this.#list.size[this.#at]!
  }

  get isIfunc() {
    return this.#list.isIfunc[this.#at] === 1
  }

  get source() {
    return this.#table.origin
  }

  get isLabel() {
    return this.#table.type(this.#symbol) === STT_NOTYPE
  }
}
