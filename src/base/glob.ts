import { compileGlob, isLiteral, type Matcher } from './glob-pattern.ts'
import { mangledParts } from './mangled-parts.ts'
import { splitPatternList } from './pattern-list.ts'

/** Patterns of which one must match. An empty set matches nothing. */
export interface GlobSet {
  /** The patterns, one by one, as they were given. */
  readonly patterns: ReadonlySet<string>
  /** Whether one of the patterns matches all of `name`. */
  matches(name: string): boolean
  /** Whether one of the patterns may match what this linkage name stands for: no is certain, and found out at once. */
  mayMean(symbol: string): boolean
}

/** The names that a function goes by; some are made when they are asked for. */
export interface FunctionNames {
  /** Demangled, with its arguments: `lua::State::call(int, int)`. */
  readonly name: string
  /** Without arguments: `lua::State::call`. */
  readonly bareName: string
  /** Linkage name: `_ZN3lua5State4callEii`. */
  readonly symbol: string
}

/**
 * Compiles the values of a glob option: each a pattern or a comma list of them (`splitPatternList`), read as
 * `fnmatch(3)` without flags would (`compileGlob`).
 */
export function compileGlobs(lists: readonly string[]): GlobSet {
  const patterns = new Set(lists.flatMap(splitPatternList))
  const exact = new Set([...patterns].filter(isLiteral))
  const globs: Matcher[] = [...patterns].filter((pattern) => !isLiteral(pattern)).map(compileGlob)
  const parts = [...patterns].map(mangledParts)
  return {
    patterns,
    matches: (name) => exact.has(name) || globs.some((matches) => matches(name)),
    mayMean: (symbol) =>
      !symbol.startsWith('_Z') || parts.some((needed) => needed.every((part) => symbol.includes(part))),
  }
}

/**
 * Whether a function is meant: a pattern matches its demangled name, its bare name or its linkage name, or is one of
 * them letter by letter, so that a name copied from a trace (`operator[]`, `name[abi:cxx11]()`) selects itself.
 */
export function matchesName(globs: GlobSet, names: FunctionNames): boolean {
  if (!globs.mayMean(names.symbol)) return false
  const matches = (name: string) => globs.patterns.has(name) || globs.matches(name)
  // The bare name comes last: it may have to be made.
  return matches(names.name) || matches(names.symbol) || matches(names.bareName)
}
