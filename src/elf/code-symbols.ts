import { segmentAt } from './address.ts'
import type { LoadSegment } from './facts.ts'
import type { ElfImage } from './image.ts'
import { SHF_EXECINSTR } from './sections.ts'
import {
  SHN_UNDEF,
  STB_LOCAL,
  STT_FUNC,
  STT_GNU_IFUNC,
  STT_NOTYPE,
  type SymbolTable,
} from './symbol-table.ts'

/**
 * Symbols of code, sorted by address, as parallel arrays: sorting 160,000 numbers takes a tenth of the time that
 * sorting as many objects does. `index` points into the tables as if they were one after the other.
 */
export interface CodeSymbols {
  readonly address: Float64Array
  readonly index: Uint32Array
}

/** Every defined symbol of the tables that lies in code of the file, with duplicates, sorted by address, then index. */
export function codeSymbols(elf: ElfImage, tables: readonly SymbolTable[]): CodeSymbols {
  const total = tables.reduce((sum, table) => sum + table.count, 0)
  const found = { address: new Float64Array(total), index: new Uint32Array(total), count: 0 }
  let firstIndex = 0
  for (const table of tables) {
    collect(elf, table, firstIndex, found)
    firstIndex += table.count
  }
  return sortByAddress(found.address.subarray(0, found.count), found.index.subarray(0, found.count))
}

function collect(
  elf: ElfImage,
  table: SymbolTable,
  firstIndex: number,
  found: { readonly address: Float64Array; readonly index: Uint32Array; count: number },
): void {
  let segment: LoadSegment | undefined
  let { count } = found
  for (let symbol = 0; symbol < table.count; symbol++) {
    if (!mayBeCode(table, symbol)) continue
    const value = table.value(symbol)
    if (!segment || value < segment.address || value >= segment.address + segment.fileSize) {
      segment = segmentAt(elf.facts, value)
    }
    if (!segment?.executable) continue
    found.address[count] = value
    found.index[count++] = firstIndex + symbol
  }
  found.count = count
}

function mayBeCode(table: SymbolTable, symbol: number): boolean {
  const section = table.sectionIndex(symbol)
  if (section === SHN_UNDEF) return false
  const type = table.type(symbol)
  if (type === STT_FUNC || type === STT_GNU_IFUNC) return true
  // A local label may be a jump target or a table; without its section nothing tells code from constants.
  if (type !== STT_NOTYPE || table.binding(symbol) === STB_LOCAL) return false
  return ((table.sections[section]?.flags ?? 0) & SHF_EXECINSTR) !== 0
}

const DIGIT_BITS = 16
const DIGIT_VALUES = 1 << DIGIT_BITS

/**
 * Radix sort of the distances from the lowest address, as 32-bit integers: two passes over 200,000 addresses take a
 * tenth of the time that sorting doubles takes. Addresses further apart are sorted the slow way.
 */
function sortByAddress(address: Float64Array, index: Uint32Array): CodeSymbols {
  const count = address.length
  let base = Number.MAX_SAFE_INTEGER
  let last = 0
  for (let at = 0; at < count; at++) {
    if (address[at]! < base) base = address[at]!
    if (address[at]! > last) last = address[at]!
  }
  const span = last - base
  let order = new Uint32Array(count)
  for (let at = 0; at < count; at++) order[at] = at
  if (span > 0xffffffff) {
    order.sort((a, b) => address[a]! - address[b]! || a - b)
  } else {
    const keys = new Uint32Array(count)
    for (let at = 0; at < count; at++) keys[at] = address[at]! - base
    order = sortByDigit(order, keys, 0)
    if (span >= DIGIT_VALUES) order = sortByDigit(order, keys, DIGIT_BITS)
  }
  const sorted = { address: new Float64Array(count), index: new Uint32Array(count) }
  for (let at = 0; at < count; at++) {
    sorted.address[at] = address[order[at]!]!
    sorted.index[at] = index[order[at]!]!
  }
  return sorted
}

/** One stable pass: `order` anew, by the digit of the keys that starts at a bit. */
function sortByDigit(order: Uint32Array, keys: Uint32Array, shift: number): Uint32Array<ArrayBuffer> {
  const places = new Uint32Array(DIGIT_VALUES + 1)
  for (let at = 0; at < keys.length; at++) places[((keys[at]! >>> shift) & (DIGIT_VALUES - 1)) + 1]!++
  for (let digit = 0; digit < DIGIT_VALUES; digit++) places[digit + 1]! += places[digit]!
  const sorted = new Uint32Array(order.length)
  for (let at = 0; at < order.length; at++) {
    const item = order[at]!
    sorted[places[(keys[item]! >>> shift) & (DIGIT_VALUES - 1)]!++] = item
  }
  return sorted
}
