import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Histograms } from './histograms.ts'

const permilles = [1, 500, 900, 990, 999, 1000]

it('quantiles are those of the sorted durations, within 0.8 %, row by row', () => {
  const duration = fc.oneof(fc.nat(200), fc.nat(100_000), fc.maxSafeNat())
  const call = fc.record({ row: fc.oneof(fc.nat(3), fc.constant(1000)), ns: duration })
  fc.assert(
    fc.property(fc.array(call, { minLength: 1, maxLength: 300 }), (calls) => {
      const histograms = new Histograms()
      for (const { row, ns } of calls) histograms.add(row, ns)
      for (const row of [0, 1, 2, 3, 1000]) {
        const sorted = calls
          .filter((each) => each.row === row)
          .map(({ ns }) => ns)
          .sort((a, b) => a - b)
        const exact = permilles.map((share) => sorted[Math.ceil((share * sorted.length) / 1000) - 1] ?? 0)
        histograms.quantiles(row, permilles).forEach((ns, index) => {
          expect(Math.abs(ns - exact[index]!)).toBeLessThanOrEqual(exact[index]! / 128)
        })
      }
    }),
  )
})

it('powers of two begin and end with the durations there are, and leave no gap', () => {
  const histograms = new Histograms()
  for (const ns of [0, 0, 5, 4, 7, 33, 1 << 30, 2 ** 40]) histograms.add(7, ns)
  const powers = histograms.powersOfTwo(7)
  expect(powers.filter(({ count }) => count > 0)).toEqual([
    { fromNs: 0, toNs: 1, count: 2 },
    { fromNs: 4, toNs: 8, count: 3 },
    { fromNs: 32, toNs: 64, count: 1 },
    { fromNs: 2 ** 30, toNs: 2 ** 31, count: 1 },
    { fromNs: 2 ** 40, toNs: 2 ** 41, count: 1 },
  ])
  powers.slice(1).forEach(({ fromNs, toNs }, index) => {
    expect(fromNs).toBe(powers[index]!.toNs)
    expect(toNs).toBe(2 * fromNs)
  })
  expect(histograms.powersOfTwo(6)).toEqual([])
})

it('a million calls of a function take no more memory than a hundred', () => {
  const histograms = new Histograms()
  const before = process.memoryUsage().arrayBuffers
  for (let count = 0; count < 1_000_000; count++) histograms.add(0, 1000 + (count % 500))
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100_000)
})
