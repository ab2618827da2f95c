import type { FunctionSymbol } from './facts.ts'
import { FunctionList } from './function-list.ts'
import type { ElfImage } from './image.ts'
import { dynamicSymbols, type SymbolTable, staticSymbols } from './symbol-table.ts'

/**
 * The functions that the symbol tables name, one per address, sorted by address: `.symtab` where it is there, else the
 * one that was split off, and `.dynsym` besides. Symbols without code in the file (data, undefined, `.bss`) are left
 * out. What has no size ends where the unwind table says, else at the next symbol, else with its section or segment.
 * @param separate what `findSeparateSymbols` has found
 * @throws ElfError for tables of absurd size
 */
export function readFunctions(elf: ElfImage, separate?: SymbolTable): FunctionSymbol[] {
  const tables = [staticSymbols(elf) ?? separate, dynamicSymbols(elf)].filter((table) => table !== undefined)
  return tables.length === 0 ? [] : new FunctionList(elf, tables).functions()
}
