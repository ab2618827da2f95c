import { DT_JMPREL, DT_PLTRELSZ, DT_RELA, DT_RELASZ } from './dynamic.ts'
import type { ImportedFunction } from './facts.ts'
import type { ElfImage } from './image.ts'
import { forEachRelocation, R_X86_64_64, R_X86_64_GLOB_DAT, R_X86_64_JUMP_SLOT } from './relocations.ts'
import {
  dynamicSymbols,
  SHN_UNDEF,
  STB_WEAK,
  STT_FUNC,
  STT_GNU_IFUNC,
  STT_NOTYPE,
  type SymbolTable,
} from './symbol-table.ts'
import { readVersions } from './versions.ts'

/**
 * The functions that a file takes from others: undefined symbols that its relocations name, whether through the
 * PLT, through the GOT alone (`-fno-plt`, `-z now`) or as a pointer in data; in the order of the symbol table.
 * Linkers leave some of them without a type: such a name may turn out to be data where it is defined.
 */
export function readImports(elf: ElfImage): ImportedFunction[] {
  const symbols = dynamicSymbols(elf)
  if (!symbols) return []
  const dataOnly = new Map<number, boolean>()
  const see = (_address: number, type: number, symbol: number) => {
    if (type !== R_X86_64_JUMP_SLOT && type !== R_X86_64_GLOB_DAT && type !== R_X86_64_64) return
    if (isUndefinedFunction(symbols, symbol)) {
      dataOnly.set(symbol, type === R_X86_64_64 && (dataOnly.get(symbol) ?? true))
    }
  }
  forEachRelocation(elf, DT_JMPREL, DT_PLTRELSZ, see)
  forEachRelocation(elf, DT_RELA, DT_RELASZ, see)

  const versions = readVersions(elf, symbols.count)
  const imports: ImportedFunction[] = []
  for (const symbol of [...dataOnly.keys()].sort((a, b) => a - b)) {
    const name = symbols.strings.at(symbols.nameOffset(symbol))
    if (!name) continue
    imports.push({
      symbol: name,
      version: versions.nameOf(symbol),
      weak: symbols.binding(symbol) === STB_WEAK,
      dataOnly: dataOnly.get(symbol)!,
    })
  }
  return imports
}

function isUndefinedFunction(symbols: SymbolTable, symbol: number): boolean {
  if (symbol === 0 || symbol >= symbols.count || symbols.sectionIndex(symbol) !== SHN_UNDEF) return false
  const type = symbols.type(symbol)
  return type === STT_FUNC || type === STT_NOTYPE || type === STT_GNU_IFUNC
}
