import type { FunctionSymbol } from '../elf/facts.ts'
import { readFunctions } from '../elf/functions.ts'
import type { ElfImage } from '../elf/image.ts'
import { findSeparateSymbols } from '../elf/separate-symbols.ts'
import { withUnnamedFunctions } from '../elf/unnamed-functions.ts'
import { moduleCodeOf } from '../probe/elf-module.ts'
import type { ModuleCode } from '../probe/module-code.ts'
import { kernelOptimisesNops } from '../sys/process.ts'
import type { Module } from './modules.ts'
import { placementMemory } from './placement-memory.ts'

interface Known {
  own?: ModuleCode
  /** With the symbols of a debug file. */
  named?: ModuleCode
  /** With functions that nothing names. */
  all?: ModuleCode
}

const known = new WeakMap<ElfImage, Known>()

function knownOf(image: ElfImage): Known {
  let entry = known.get(image)
  if (entry === undefined) {
    entry = {}
    known.set(image, entry)
  }
  return entry
}

let optimisesNops: boolean | undefined

function planningCodeOf(image: ElfImage, functions?: readonly FunctionSymbol[]): ModuleCode {
  optimisesNops ??= kernelOptimisesNops()
  return { ...moduleCodeOf(image, functions), optimisesNops }
}

/** What planning calls into a module needs: its own symbol tables, which are read once. */
export function codeOf(image: ElfImage): ModuleCode {
  const entry = knownOf(image)
  if (entry.own === undefined) {
    const { buildId, isExecutableImage } = image.facts
    // Programs are built anew all the time, libraries are not.
    const placements = buildId === undefined || isExecutableImage ? undefined : placementMemory(buildId)
    entry.own = { ...planningCodeOf(image), placements }
  }
  return entry.own
}

/** What planning a module's own functions needs: symbols that were split off join its own. */
export function namedCodeOf(module: Module): ModuleCode {
  const { image } = module
  const entry = knownOf(image)
  if (entry.named === undefined) {
    const separate = image.facts.stripped ? findSeparateSymbols(image, module.root) : undefined
    entry.named = separate ? planningCodeOf(image, readFunctions(image, separate)) : codeOf(image)
  }
  return entry.named
}

/** As `namedCodeOf`, with functions that only the unwind table knows, where there is no symbol table. */
export function allCodeOf(module: Module): ModuleCode {
  const entry = knownOf(module.image)
  const named = namedCodeOf(module)
  if (hasSymbolTable(module)) return named
  entry.all ??= planningCodeOf(module.image, withUnnamedFunctions(module.image, named.functions, module.name))
  return entry.all
}

/** Whether a `.symtab` names its functions, be it in a file of its own. */
export function hasSymbolTable(module: Module): boolean {
  return !module.image.facts.stripped || namedCodeOf(module) !== codeOf(module.image)
}
