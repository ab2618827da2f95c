import { basename } from 'node:path'
import { UserError } from '../base/errors.ts'
import { escapeText } from '../base/escape.ts'
import { compileGlobs, type FunctionNames, type GlobSet, matchesName } from '../base/glob.ts'

/** Globs as the user gave them: comma lists, repeated. */
export interface SelectionOptions {
  readonly functions: readonly string[]
  readonly noFunctions: readonly string[]
  readonly libs: readonly string[]
  readonly noLibs: readonly string[]
  readonly nestLibs: readonly string[]
  /** Functions whose calls begin and end what is traced: they are traced too. */
  readonly startAt: readonly string[]
  readonly stopAt: readonly string[]
}

export type TracingSwitch = 'starts' | 'stops'

/** Which functions of which modules are asked for. */
export interface Selection {
  wantsFunction(names: FunctionNames): boolean
  /** What a call of the function does to tracing. */
  switchOf(names: FunctionNames): TracingSwitch | undefined
  /** What tracing waits for, and ends at: the patterns that were given. */
  readonly switches: ReadonlyMap<TracingSwitch, string>
  /** Whether a function whose only name is `MODULE+0xADDRESS` is asked for: by a pattern with `+0x`, never by a plain `*`. */
  wantsUnnamed(name: string): boolean
  readonly anyUnnamed: boolean
  /** Whether the program's calls into this library are asked for. */
  wantsCallsInto(library: LibraryNames): boolean
  /** Whether what happens inside this library is asked for. */
  wantsInsideOf(library: LibraryNames): boolean
  /** Whether any library at all can matter. */
  readonly anyLibraries: boolean
  readonly anyNesting: boolean
  /** The function patterns that were given, for messages. */
  readonly functionPatterns: string
}

/** A library goes by its soname, its file name and its path. */
export interface LibraryNames {
  readonly name: string
  readonly path: string
}

export function createSelection(options: SelectionOptions): Selection {
  const functions = compileGlobs(options.functions)
  const unnamed = compileGlobs([...functions.patterns].filter((pattern) => pattern.includes('+0x')))
  const noFunctions = compileGlobs(options.noFunctions)
  const startAt = compileGlobs(options.startAt)
  const stopAt = compileGlobs(options.stopAt)
  const switches = new Map<TracingSwitch, string>()
  if (options.startAt.length > 0) switches.set('starts', options.startAt.join(','))
  if (options.stopAt.length > 0) switches.set('stops', options.stopAt.join(','))
  function switchOf(names: FunctionNames): TracingSwitch | undefined {
    if (switches.size === 0) return undefined
    if (matchesName(startAt, names)) return 'starts'
    return matchesName(stopAt, names) ? 'stops' : undefined
  }
  const libs = compileGlobs(options.libs)
  const noLibs = compileGlobs(options.noLibs)
  const nestLibs = compileGlobs(options.nestLibs)
  return {
    wantsFunction: (names) =>
      (matchesName(functions, names) && !matchesName(noFunctions, names)) || switchOf(names) !== undefined,
    switchOf,
    switches,
    wantsUnnamed: (name) => unnamed.matches(name) && !noFunctions.matches(name),
    anyUnnamed: unnamed.patterns.size > 0,
    wantsCallsInto: (library) => matchesLibrary(libs, library) && !matchesLibrary(noLibs, library),
    wantsInsideOf: (library) => matchesLibrary(nestLibs, library) && !matchesLibrary(noLibs, library),
    anyLibraries: libs.patterns.size > 0 || nestLibs.patterns.size > 0,
    anyNesting: nestLibs.patterns.size > 0,
    functionPatterns: options.functions.join(','),
  }
}

/** What is to switch tracing must be there. @param found what is @throws UserError */
export function checkSwitches({ switches }: Selection, found: ReadonlySet<TracingSwitch>): void {
  for (const [what, patterns] of switches) {
    if (found.has(what)) continue
    throw new UserError(
      `no function that can be traced matches ${what === 'starts' ? '--start-at' : '--stop-at'} '${escapeText(patterns)}': see what there is with --plan`,
    )
  }
}

function matchesLibrary(globs: GlobSet, { name, path }: LibraryNames): boolean {
  return globs.matches(name) || globs.matches(path) || globs.matches(basename(path))
}
