import fc from 'fast-check'
import { expect, it } from 'vitest'
import { bucketCount, bucketMiddle, bucketOf, bucketStart } from './duration-buckets.ts'

const durations = fc.oneof(
  fc.maxSafeNat(),
  fc.nat(5000),
  fc
    .tuple(fc.nat(52), fc.integer({ min: -1, max: 1 }))
    .map(([exponent, beside]) => Math.max(0, 2 ** exponent + beside)),
)

it('every duration is in its bucket, whose middle is within 1/128 of it', () => {
  fc.assert(
    fc.property(durations, (ns) => {
      const bucket = bucketOf(ns)
      expect(bucket).toBeGreaterThanOrEqual(0)
      expect(bucket).toBeLessThan(bucketCount)
      expect(bucketStart(bucket)).toBeLessThanOrEqual(ns)
      expect(bucketStart(bucket + 1)).toBeGreaterThan(ns)
      expect(Math.abs(bucketMiddle(bucket) - ns)).toBeLessThanOrEqual(ns / 128)
    }),
    { numRuns: 1000 },
  )
})

it('every bucket holds its start and its middle', () => {
  for (let bucket = 0; bucket < bucketCount; bucket++) {
    expect(bucketOf(bucketStart(bucket))).toBe(bucket)
    expect(bucketOf(bucketMiddle(bucket))).toBe(bucket)
  }
  expect(bucketOf(Number.MAX_SAFE_INTEGER)).toBe(bucketCount - 1)
})

it('below 128 ns every duration has its own', () => {
  for (let ns = 0; ns < 128; ns++) expect(bucketMiddle(bucketOf(ns))).toBe(ns)
})
