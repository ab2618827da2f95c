import { readExports } from '../elf/exports.ts'
import type { ElfImage } from '../elf/image.ts'
import { readImports } from '../elf/imports.ts'
import { codeOf } from './module-code.ts'
import type { Module, ProcessModules } from './modules.ts'

/** Whether the kernel may put its own return address on the stack of this process, and why not. */
export interface ReturnHookEvidence {
  readonly harmless: boolean
  /** One short clause. */
  readonly reason: string
}

/** Libraries that walk the stack by its return addresses. */
const unwinderLibraries = /^(?:libgcc_s|libunwind|libc\+\+abi|libasan|libtsan|liblsan|libgo|libjvm)\b/

/** A module that defines one of these has an unwinder of its own, linked statically. */
const unwinderSymbols = ['_Unwind_RaiseException', '_Unwind_Backtrace', 'unw_step', '_Ux86_64_step']

/** Calling one of these unwinds frames, or puts a thread on another stack. */
const disturbingImports = new Map([
  ['pthread_exit', 'pthread_exit unwinds the stack'],
  ['pthread_cancel', 'pthread_cancel unwinds the stack'],
  ['thrd_exit', 'thrd_exit unwinds the stack'],
  ['backtrace', 'backtrace reads the stack'],
  ['swapcontext', 'swapcontext switches stacks'],
  ['makecontext', 'makecontext switches stacks'],
  ['setcontext', 'setcontext switches stacks'],
  ['jump_fcontext', 'jump_fcontext switches stacks'],
  ['__cxa_throw', '__cxa_throw unwinds the stack'],
  ['_Unwind_Resume', '_Unwind_Resume unwinds the stack'],
])

/**
 * Return probes replace return addresses on the stack. That is harmless as long as nobody else reads them: no
 * unwinder (C++ exceptions, thread cancellation, backtraces) and no switching of stacks. The evidence is what is
 * loaded, linked and imported.
 */
export function returnHookEvidence(modules: ProcessModules): ReturnHookEvidence {
  const { executable, interpreter, libraries } = modules
  for (const library of libraries) {
    if (unwinderLibraries.test(library.name)) return harmful(`${library.name} is loaded: an unwinder may run`)
  }
  if (executable.image.sections.some(({ name }) => name === '.gopclntab')) {
    return harmful('the Go runtime walks and moves stacks')
  }
  if (interpreter === undefined && executable.image.facts.stripped) {
    return harmful('it is static and stripped: an unwinder could not be found')
  }
  for (const module of [executable, ...libraries]) {
    const reason = disturbance(module)
    if (reason !== undefined) return harmful(`${module.name}: ${reason}`)
  }
  return { harmless: true, reason: 'nothing loaded unwinds or switches stacks' }
}

function harmful(reason: string): ReturnHookEvidence {
  return { harmless: false, reason }
}

function disturbance(module: Module): string | undefined {
  for (const { symbol } of readImports(module.image)) {
    const reason = disturbingImports.get(symbol)
    if (reason !== undefined) return reason
  }
  const exports = readExports(module.image)
  const unwinder =
    unwinderSymbols.find((symbol) => exports.find(symbol) !== undefined) ?? ownUnwinder(module.image)
  return unwinder && `it has an unwinder of its own (${unwinder})`
}

function ownUnwinder(image: ElfImage): string | undefined {
  if (!image.facts.isExecutableImage) return undefined
  const names = new Set(unwinderSymbols)
  for (const { symbol, aliases } of codeOf(image).functions) {
    if (names.has(symbol)) return symbol
    const alias = aliases.find((name) => names.has(name))
    if (alias !== undefined) return alias
  }
  return undefined
}
