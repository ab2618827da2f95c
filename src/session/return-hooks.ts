import type { VirtualAddress } from '../base/units.ts'
import { readExports } from '../elf/exports.ts'
import type { ElfImage } from '../elf/image.ts'
import { readImports } from '../elf/imports.ts'
import { findStackSwitch } from '../probe/stack-switch.ts'
import type { Circumstances } from '../target/circumstances.ts'
import { codeOf } from './module-code.ts'
import type { Module, ProcessModules } from './modules.ts'

/** Whether the kernel may put its own return address on the stack of a process, and why or why not. */
export interface ReturnHookEvidence {
  readonly harmless: boolean
  /** One short clause. */
  readonly reason: string
  /** Threads may go on on another stack. */
  readonly switchesStacks: boolean
  /** Functions by which unwinders start: harmless only as long as these are watched. */
  readonly unwinders: readonly WatchedFunctions[]
  /** Modules with the function that is called where a C++ exception is caught. */
  readonly catchers: readonly Module[]
}

/** Called first thing in every C++ exception handler (Itanium C++ ABI: exception handling, 2.4.4). */
export const catchFunction = '__cxa_begin_catch'

export interface WatchedFunctions {
  readonly module: Module
  readonly addresses: readonly VirtualAddress[]
  /** Those of them that get a thrown exception which, if it is C++'s, is seen where it is caught. */
  readonly throwing: readonly VirtualAddress[]
}

/** By which runtimes throw. */
const raisingFunction = '_Unwind_RaiseException'
/** Of those below, the ones that unwind for an exception until it is caught: it is their argument. */
const throwers = [raisingFunction, '_Unwind_Resume', '_Unwind_Resume_or_Rethrow']

/** The functions by which the unwinders of GCC, LLVM and libunwind are entered, before they read the stack. */
const unwinderEntries = [
  '_Unwind_RaiseException',
  '_Unwind_Resume',
  '_Unwind_Resume_or_Rethrow',
  '_Unwind_ForcedUnwind',
  '_Unwind_Backtrace',
  'unw_init_local',
  '_ULx86_64_init_local',
  '_Ux86_64_init_local',
  'unw_backtrace',
]

/** Runtimes that walk or move stacks by themselves, without any of those. */
const stackReadingLibraries =
  /^(?:libasan|libtsan|liblsan|libhwasan|libgo|libjvm|libcoreclr|libnode|libmozjs)\b/
const stackReadingSymbols = [
  ['__asan_init', 'AddressSanitizer reads the stack'],
  ['__tsan_init', 'ThreadSanitizer reads the stack'],
  ['__lsan_init', 'LeakSanitizer reads the stack'],
  ['_ZN2v87Isolate3NewERKNS0_12CreateParamsE', 'V8 walks the stack'],
] as const

/** Calling one of these puts a thread on another stack. */
const stackSwitches = [
  'swapcontext',
  'makecontext',
  'setcontext',
  'jump_fcontext',
  'ontop_fcontext',
  'co_switch',
]

/** Calls by which a program may put itself under seccomp(2). */
const filterCalls = ['seccomp_load', 'prctl', 'syscall']

/** What the kernel can do about hooked returns. */
export interface ReturnHookSupport {
  /** It tells which returns are hooked, so that they can be put right. */
  readonly seesHookedReturns: boolean
  /** A return probe does not kill a process whose system calls are filtered. */
  readonly returnProbesPassSeccomp: boolean
}

/**
 * Return probes replace return addresses on the stack. That is harmless as long as nobody else reads them, or whoever
 * does can be held up before, until the true ones are back. The evidence is what is loaded, linked and imported, and
 * what the process lives in.
 */
export function returnHookEvidence(
  modules: ProcessModules,
  kernel: ReturnHookSupport,
  circumstances: Circumstances,
): ReturnHookEvidence {
  const { executable, interpreter, libraries } = modules
  const all = [executable, ...libraries]
  const catchers = all.filter((module) => addressesOf(module, [catchFunction]).length > 0)
  const harmful = (reason: string, switchesStacks = false) => ({
    harmless: false,
    reason,
    switchesStacks,
    unwinders: [],
    catchers,
  })
  if (circumstances.hasShadowStack) return harmful('its shadow stack has copies of the return addresses')
  if (!kernel.returnProbesPassSeccomp) {
    if (circumstances.isFiltered)
      return harmful('it runs under seccomp, where return probes kill on this kernel')
    const filter = readImports(executable.image).find(({ symbol }) => filterCalls.includes(symbol))
    if (filter !== undefined)
      return harmful(
        `${filter.symbol}: it may put itself under seccomp, where return probes kill on this kernel`,
      )
  }
  if (interpreter === undefined && executable.image.facts.stripped) {
    return harmful('it is static and stripped: an unwinder could not be found')
  }
  for (const module of all) {
    const reader = stackReader(module)
    if (reader !== undefined) return harmful(reader)
    const switcher = stackSwitch(module)
    if (switcher !== undefined) return harmful(switcher, true)
  }
  const seesCatches = !all.some(catchesUnseen)
  const unwinders = all.flatMap((module) => {
    const addresses = addressesOf(module, unwinderEntries)
    const throwing = seesCatches ? addressesOf(module, throwers) : []
    return addresses.length === 0 ? [] : [{ module, addresses, throwing }]
  })
  const hidden = all.find((module) => module !== interpreter && hasHiddenUnwinder(module, unwinders))
  if (hidden !== undefined) return harmful(`${hidden.name} unwinds by functions that it does not name`)
  if (unwinders.length === 0)
    return { harmless: true, reason: 'no unwinder is loaded', switchesStacks: false, unwinders, catchers }
  const names = unwinders.map(({ module }) => module.name).join(', ')
  if (circumstances.isShellJob)
    return harmful(`${names}: an unwinder may run, and the shell would see it stopped for that`)
  if (!kernel.seesHookedReturns)
    return harmful(`${names}: an unwinder may run, and this kernel does not tell what to put right`)
  return {
    harmless: true,
    reason: `the unwinder of ${names} is watched`,
    switchesStacks: false,
    unwinders,
    catchers,
  }
}

/** The names that matter, looked for in one pass over a module's functions. */
const watchedNames: ReadonlySet<string> = new Set([
  ...unwinderEntries,
  ...stackSwitches,
  ...stackReadingSymbols.map(([symbol]) => symbol),
  catchFunction,
])
const watchedFunctions = new WeakMap<ElfImage, ReadonlyMap<string, VirtualAddress>>()

/** Where a module defines functions of these names, which are among those watched. */
export function addressesOf({ image }: Module, names: readonly string[]): VirtualAddress[] {
  let known = watchedFunctions.get(image)
  if (known === undefined) {
    known = findWatched(image)
    watchedFunctions.set(image, known)
  }
  return [...new Set(names.flatMap((name) => known.get(name) ?? []))]
}

function findWatched(image: ElfImage): ReadonlyMap<string, VirtualAddress> {
  const found = new Map<string, VirtualAddress>()
  const exports = readExports(image)
  for (const name of watchedNames) {
    const address = exports.find(name)?.address
    if (address !== undefined) found.set(name, address)
  }
  if (image.facts.isExecutableImage && !image.facts.stripped) {
    for (const { symbol, aliases, address } of codeOf(image).functions) {
      for (const name of [symbol, ...aliases]) if (watchedNames.has(name)) found.set(name, address)
    }
  }
  return found
}

function stackReader(module: Module): string | undefined {
  if (stackReadingLibraries.test(module.name)) return `${module.name} reads the stack`
  if (hasSection(module.image, '.gopclntab')) return 'the Go runtime walks and moves stacks'
  return stackReadingSymbols.find(([symbol]) => addressesOf(module, [symbol]).length > 0)?.[1]
}

function stackSwitch(module: Module): string | undefined {
  const imported = readImports(module.image).find(({ symbol }) => stackSwitches.includes(symbol))
  if (imported !== undefined) return `${module.name}: ${imported.symbol} switches stacks`
  const isStatic = module.image.facts.isExecutableImage && module.image.facts.needed.length === 0
  // In a static program they are linked in only if they are called; boost's are always part of who uses them.
  const own = isStatic
    ? stackSwitches
    : stackSwitches.filter((name) => name.includes('fcontext') || name === 'co_switch')
  const name = own.find((symbol) => addressesOf(module, [symbol]).length > 0) ?? handWrittenSwitch(module)
  return name && `${module.name}: ${name} switches stacks`
}

/** What of a C or C++ program's runtime sets the stack pointer is known by its name. */
const knownRuntime = /^(?:ld-|lib(?:c|m|pthread|gcc_s|stdc\+\+)\.)/
const handWritten = new WeakMap<ElfImage, { readonly name: string | undefined }>()

function handWrittenSwitch({ name: moduleName, image }: Module): string | undefined {
  if (knownRuntime.test(moduleName)) return undefined
  let known = handWritten.get(image)
  if (known === undefined) {
    const executable = image.facts.segments.filter((segment) => segment.executable)
    const ranges = executable.map(({ address, fileSize }) => ({ address, size: fileSize }))
    known = { name: findStackSwitch(codeOf(image), ranges) }
    handWritten.set(image, known)
  }
  return known.name
}

/** Language-specific data for unwinding, and no named unwinder that would use it: it is linked in, out of sight. */
function hasHiddenUnwinder(module: Module, unwinders: readonly WatchedFunctions[]): boolean {
  const { image } = module
  if (/^lib(?:c|pthread|gcc_s|unwind)\b/.test(module.name) || !hasSection(image, '.gcc_except_table'))
    return false
  if (unwinders.some((unwinder) => unwinder.module === module)) return false
  return !readImports(image).some(
    ({ symbol }) => symbol.startsWith('_Unwind_') || symbol.startsWith('__gxx_personality'),
  )
}

/** It has a runtime of its own that throws, and none by name that catches: of another language, or out of sight. */
function catchesUnseen(module: Module): boolean {
  const throws = readImports(module.image).some(({ symbol }) => symbol === raisingFunction)
  return throws && addressesOf(module, [catchFunction]).length === 0
}

function hasSection(image: ElfImage, wanted: string): boolean {
  return image.sections.some(({ name }) => name === wanted)
}
