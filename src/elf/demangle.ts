import { type CxaDemangle, loadCxaDemangle } from '../sys/cxa-demangle.ts'
import { mayExplode } from './expansion.ts'
import { demangleRust, isRustSymbol } from './rust-demangle.ts'

let cxaDemangle: CxaDemangle | undefined
let triedToLoad = false

/**
 * The name as its author wrote it, with arguments: C++ (Itanium ABI) and Rust (legacy and v0). A clone that the
 * compiler made of a C++ function says so (`f(int) [clone .isra.0]`), as in c++filt. Other names stay as they are,
 * and so do C++ names where
 * `isDemanglerMissing`, and those that are made to take all memory (`mayExplode`).
 */
export function demangle(symbol: string): string {
  const first = symbol.charCodeAt(1)
  // C names are most of what there is in C programs: `_Z…`, `_R…` and `___Z…` alone go further.
  if (symbol.charCodeAt(0) !== 0x5f || (first !== 0x5a && first !== 0x52 && first !== 0x5f)) return symbol
  if (isRustSymbol(symbol)) return demangleRust(symbol) ?? symbol
  if (symbol.startsWith('_Z')) return demangleCxx(symbol) ?? symbol
  // Compilers put two more underscores before names for the assembler of some platforms.
  if (symbol.startsWith('___Z') && !symbol.includes('_block_invoke')) {
    return demangleCxx(symbol.slice(2)) ?? symbol
  }
  return symbol
}

/** `demangle` of many names, in order. */
export function demangleAll(symbols: readonly string[]): string[] {
  return symbols.map(demangle)
}

/** C++ names stay mangled since libstdc++ cannot be loaded: worth telling the user once. Loads it if need be. */
export function isDemanglerMissing(): boolean {
  return loadOnce() === undefined
}

function demangleCxx(symbol: string): string | undefined {
  return mayExplode(symbol) ? undefined : loadOnce()?.(symbol)
}

function loadOnce(): CxaDemangle | undefined {
  if (!triedToLoad) {
    triedToLoad = true
    cxaDemangle = loadCxaDemangle()
  }
  return cxaDemangle
}
