/**
 * Buckets of durations as HdrHistogram lays them out (http://hdrhistogram.org): below 128 ns one per nanosecond, above
 * that 64 of equal width per power of two. A bucket's middle is within 1/128 (0.8 %) of every duration in it.
 */
const subBucketBits = 6
const subBuckets = 1 << subBucketBits

/** Durations reach up to 2^53 - 1 ns, 104 days. */
export const bucketCount = (53 - subBucketBits) * subBuckets + subBuckets

const highBits = 24
const highScale = 2 ** -highBits

/** The bucket of a duration in whole nanoseconds from 0 to 2^53 - 1. */
export function bucketOf(ns: number): number {
  // Bit operations see 32 bits: of longer durations the lowest 24 bits, which no bucket tells apart, go first.
  if (ns >= 0x80000000) return bucketOf(Math.floor(ns * highScale)) + (highBits << subBucketBits)
  if (ns < subBuckets) return ns | 0
  const shift = 31 - subBucketBits - Math.clz32(ns)
  return (shift << subBucketBits) + (ns >>> shift)
}

/** The shortest duration in a bucket; with `bucketCount`, what ends the last one. */
export function bucketStart(bucket: number): number {
  if (bucket < 2 * subBuckets) return bucket
  const shift = (bucket >> subBucketBits) - 1
  return (bucket - (shift << subBucketBits)) * 2 ** shift
}

/** The duration that stands for all of a bucket: its middle. */
export function bucketMiddle(bucket: number): number {
  const start = bucketStart(bucket)
  return start + Math.floor((bucketStart(bucket + 1) - 1 - start) / 2)
}
