/** What the command line says about how thoroughly to measure. */
export interface Effort {
  /** A smoke run: everything once, on a tenth of the calls. */
  readonly quick: boolean
  readonly rounds: number
  /** Only rows whose name contains one of these; empty: all. */
  readonly rows: readonly string[]
  /** Take what is large and slow to make from the last run, and leave it for the next. */
  readonly reuse: boolean
  /** Says on the terminal what is being done. */
  progress(text: string): void
}

/** A set of measurements that makes one section of a document. */
export interface Suite {
  /** For the command line: `npm run bench -- NAME`. */
  readonly name: string
  readonly title: string
  /** Where its results are shown; docs/performance.md if absent. */
  readonly document?: string
  /** @returns Markdown */
  run(effort: Effort): Promise<string>
}

export function wantsRow({ rows }: Effort, name: string): boolean {
  return rows.length === 0 || rows.some((part) => name.includes(part))
}
