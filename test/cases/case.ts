import type { Build } from '../support/build.ts'

/** One run of utrace on one target: what a reader needs to know is in these lines, the rest in test/e2e.test.ts. */
export interface Case {
  readonly name: string
  readonly build: Build
  /** Arguments of the target; `{LIBRARIES}` stands for the folder with its shared libraries. */
  readonly args?: readonly string[]
  readonly input?: string
  /** Options of utrace. */
  readonly options?: readonly string[]
  /** `oracle`: the call tree equals the instrumented build's (default). `none`: only output and status are compared. */
  readonly tree?: 'oracle' | 'none'
  /** Exceptions or `longjmp` take calls away, and the compiler's hooks do not see it. */
  readonly unwinds?: boolean
  /** Exact number of calls by linkage name. */
  readonly calls?: Readonly<Record<string, number>>
  /** How the last call of a function ends. */
  readonly ends?: Readonly<Record<string, 'return' | 'unwound' | 'inferred' | 'cut'>>
  /** Modules by the linkage name of one of their functions. */
  readonly modules?: Readonly<Record<string, string>>
  /** Demangled names that must appear. */
  readonly names?: readonly string[]
  /** Number of threads with calls. */
  readonly threads?: number
  /** At least so many functions have probes, by the summary. */
  readonly functionsTraced?: number
  /** What notes in the trace say, each in one of them. */
  readonly notes?: readonly RegExp[]
  /** What the one-line summary says. */
  readonly summary?: RegExp
}
