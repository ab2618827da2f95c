import { asVirtualAddress } from '../base/units.ts'
import { segmentAt } from './address.ts'
import type { ExportedFunction } from './facts.ts'
import { GnuHashTable } from './gnu-hash.ts'
import type { ElfImage } from './image.ts'
import {
  dynamicSymbols,
  SHN_UNDEF,
  STB_LOCAL,
  STT_FUNC,
  STT_GNU_IFUNC,
  STT_NOTYPE,
  type SymbolTable,
} from './symbol-table.ts'
import { readVersions, type SymbolVersions } from './versions.ts'

/** The functions that a file offers to others by name. */
export interface ExportIndex {
  /**
   * The definition that the dynamic linker binds a reference to, as `check_match` of glibc's elf/dl-lookup.c does.
   * With a version: the definition of that version, else an unversioned one. Without: an unversioned definition,
   * else the default version (`name@@VERSION`), else the oldest one, which programs linked before there were versions get.
   */
  find(symbol: string, version?: string): ExportedFunction | undefined
  /** Every definition of every name and version. */
  all(): ExportedFunction[]
}

const UNVERSIONED = 1
const OLDEST_VERSION = 2

const known = new WeakMap<ElfImage, ExportIndex>()

export function readExports(elf: ElfImage): ExportIndex {
  let exports = known.get(elf)
  if (exports === undefined) {
    exports = indexExports(elf)
    known.set(elf, exports)
  }
  return exports
}

function indexExports(elf: ElfImage): ExportIndex {
  const symbols = dynamicSymbols(elf)
  if (!symbols) return { find: () => undefined, all: () => [] }
  const versions = readVersions(elf, symbols.count)
  const hashes = GnuHashTable.of(elf)
  let byName: Map<string, number[]> | undefined
  /** Of many files a few names are asked for: the table by which the dynamic linker finds them has them at once. */
  const definitionsOf = (name: string) => {
    if (hashes !== undefined) {
      return hashes
        .candidates(name)
        .filter(
          (index) =>
            symbols.strings.at(symbols.nameOffset(index)) === name && isExportedFunction(elf, symbols, index),
        )
    }
    byName ??= indexByName(elf, symbols)
    return byName.get(name) ?? []
  }
  const describe = (name: string, index: number) => describeExport(name, index, symbols, versions)
  return {
    find(name, version) {
      const index = choose(definitionsOf(name), version, versions)
      return index === undefined ? undefined : describe(name, index)
    },
    all() {
      byName ??= indexByName(elf, symbols)
      return [...byName].flatMap(([name, indices]) => indices.map((index) => describe(name, index)))
    },
  }
}

function choose(
  candidates: readonly number[],
  version: string | undefined,
  versions: SymbolVersions,
): number | undefined {
  const base = (index: number) => versions.indexOf(index) <= UNVERSIONED && !versions.isHidden(index)
  if (version !== undefined) {
    return candidates.find((index) => versions.nameOf(index) === version) ?? candidates.find(base)
  }
  return (
    candidates.find(base) ??
    candidates.find((index) => !versions.isHidden(index)) ??
    candidates.find((index) => versions.indexOf(index) === OLDEST_VERSION)
  )
}

function indexByName(elf: ElfImage, symbols: SymbolTable): Map<string, number[]> {
  const byName = new Map<string, number[]>()
  for (let index = 1; index < symbols.count; index++) {
    if (!isExportedFunction(elf, symbols, index)) continue
    const name = symbols.strings.at(symbols.nameOffset(index))
    if (!name) continue
    const known = byName.get(name)
    if (known) known.push(index)
    else byName.set(name, [index])
  }
  return byName
}

function isExportedFunction(elf: ElfImage, symbols: SymbolTable, index: number): boolean {
  if (symbols.sectionIndex(index) === SHN_UNDEF || symbols.binding(index) === STB_LOCAL) return false
  const type = symbols.type(index)
  if (type !== STT_FUNC && type !== STT_GNU_IFUNC && type !== STT_NOTYPE) return false
  return segmentAt(elf.facts, symbols.value(index))?.executable ?? false
}

function describeExport(
  symbol: string,
  index: number,
  symbols: SymbolTable,
  versions: SymbolVersions,
): ExportedFunction {
  return {
    symbol,
    version: versions.nameOf(index),
    isDefaultVersion: !versions.isHidden(index),
    address: asVirtualAddress(symbols.value(index)),
    size: symbols.size(index),
    isIfunc: symbols.type(index) === STT_GNU_IFUNC,
  }
}
