/** Sums of the calls of one function, as `utrace stat` keeps them in the kernel. Times are in nanoseconds. */
export interface FunctionSums {
  /** Calls that have begun. */
  readonly begun: number
  /** Calls that have ended, in whatever way: all times are theirs. */
  readonly ended: number
  /** Time in which at least one call was open, thread by thread: recursion counts once. */
  readonly totalNs: number
  /** The sum of all durations. */
  readonly sumNs: number
  /** Time without the calls that they made. */
  readonly selfNs: number
  readonly minNs: number
  readonly maxNs: number
  readonly unwound: number
  readonly inferred: number
  readonly cut: number
  /** Calls that began where no more could be told apart: too deep, or no memory for their thread. */
  readonly untimed: number
  /** Calls by duration: from 2^index ns (the first from 0) to below twice that. */
  readonly histogram: readonly number[]
}
