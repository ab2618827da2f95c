/** A measured quantity: the middle of its samples and how far they lie apart. */
export interface Summary {
  readonly median: number
  /** Largest minus smallest sample, as a share of the median. */
  readonly spread: number
  readonly count: number
}

/** @param samples at least one */
export function summarize(samples: readonly number[]): Summary {
  const middle = median(samples)
  const range = Math.max(...samples) - Math.min(...samples)
  return { median: middle, spread: middle === 0 ? 0 : range / Math.abs(middle), count: samples.length }
}

export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/**
 * The median of the ratios of samples that were taken in the same round: what slows a whole round down, such as
 * another process, does not show.
 */
export function pairedRatio(samples: readonly number[], references: readonly number[]): number {
  const pairs = Math.min(samples.length, references.length)
  return median(Array.from({ length: pairs }, (_, round) => samples[round]! / references[round]!))
}
