import type { VirtualAddress } from '../base/units.ts'
import { type ExportIndex, readExports } from '../elf/exports.ts'
import type { ExportedFunction, ImportedFunction } from '../elf/facts.ts'
import { ifuncImplementations } from '../elf/ifunc.ts'
import { readImports } from '../elf/imports.ts'
import type { Module, ProcessModules } from './modules.ts'

/** A function of a library that the executable calls, and where its code may be. */
export interface LibraryFunction {
  readonly symbol: string
  /** More than one for an IFUNC: which of them runs is decided at run time, by the CPU. */
  readonly addresses: readonly VirtualAddress[]
}

export interface LibraryCalls {
  readonly library: Module
  readonly functions: readonly LibraryFunction[]
}

/**
 * Start-up and exit hooks that the compiler's own start-up files import: the program's author did not call them.
 */
const startUpImports = new Set([
  '__libc_start_main',
  '__cxa_finalize',
  '__cxa_atexit',
  '__gmon_start__',
  '_ITM_registerTMCloneTable',
  '_ITM_deregisterTMCloneTable',
])

/**
 * Finds, for each function that the executable imports, the library that provides it: the first in the dynamic
 * linker's order that defines the symbol in the wanted version, as ld.so(8) does.
 */
export function findLibraryCalls({ executable, libraries }: ProcessModules): LibraryCalls[] {
  const providers = libraries.map((library) => ({ library, exports: readExports(library.image) }))
  const found = new Map<Module, Map<VirtualAddress, LibraryFunction>>()
  for (const wanted of readImports(executable.image)) {
    if (startUpImports.has(wanted.symbol)) continue
    const provider = firstProvider(providers, wanted)
    if (provider === undefined) continue
    const functions = found.get(provider.library) ?? new Map<VirtualAddress, LibraryFunction>()
    found.set(provider.library, functions)
    const { address } = provider.definition
    if (!functions.has(address)) {
      functions.set(address, {
        symbol: wanted.symbol,
        addresses: codeAddresses(provider.library, provider.definition),
      })
    }
  }
  return [...found].map(([library, functions]) => ({ library, functions: [...functions.values()] }))
}

function firstProvider(
  providers: readonly { library: Module; exports: ExportIndex }[],
  wanted: ImportedFunction,
): { library: Module; definition: ExportedFunction } | undefined {
  for (const { library, exports } of providers) {
    const definition = exports.find(wanted.symbol, wanted.version)
    if (definition !== undefined) return { library, definition }
  }
  return undefined
}

function codeAddresses(library: Module, definition: ExportedFunction): readonly VirtualAddress[] {
  if (!definition.isIfunc) return [definition.address]
  return ifuncImplementations(library.image, definition.address, definition.size)
}
