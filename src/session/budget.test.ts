import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CallCosts, chooseToDrop } from './budget.ts'

const ms = 1_000_000
const leaf = { id: 1, costNs: 60 * ms, isLeaf: true }
const caller = { id: 2, costNs: 20 * ms, isLeaf: false }
const rare = { id: 3, costNs: 1 * ms, isLeaf: true }

describe('chooseToDrop', () => {
  test('nothing, within the budget', () => {
    expect(chooseToDrop([leaf, caller, rare], 100 * ms, 0.9)).toEqual([])
  })

  test('what costs most and tells least first, and no more than need be', () => {
    expect(chooseToDrop([rare, caller, leaf], 100 * ms, 0.5)).toEqual([leaf])
    expect(chooseToDrop([rare, caller, leaf], 100 * ms, 0.1)).toEqual([leaf, caller])
    // Among equals a function that calls nothing tells less.
    expect(chooseToDrop([caller, { ...rare, costNs: 19 * ms }], 100 * ms, 0.3)).toMatchObject([{ id: 3 }])
  })

  test('whatever the costs, what is left is within the budget', () => {
    const function_ = fc.record({ id: fc.nat(), costNs: fc.nat(200 * ms), isLeaf: fc.boolean() })
    fc.assert(
      fc.property(fc.array(function_), fc.double({ min: 0.001, max: 1, noNaN: true }), (functions, share) => {
        const dropped = new Set(chooseToDrop(functions, 100 * ms, share))
        const left = functions.filter((each) => !dropped.has(each))
        expect(left.reduce((sum, { costNs }) => sum + costNs, 0)).toBeLessThanOrEqual(100 * ms * share + 1)
      }),
    )
  })
})

test('CallCosts: the shortest period of a kind, within what is known of machines', () => {
  const costs = new CallCosts()
  const metered = { id: 1, hits: 5, isLeaf: true }
  expect(costs.of('stepped', 10_000, 25_000)).toBe(10_000)
  costs.learn('stepped', { ...metered, shortestPeriodNs: 900_000 })
  expect(costs.of('stepped', 10_000, 25_000)).toBe(25_000)
  costs.learn('stepped', { ...metered, shortestPeriodNs: 18_000 })
  costs.learn('stepped', { ...metered, shortestPeriodNs: 19_000 })
  expect(costs.of('stepped', 10_000, 25_000)).toBe(18_000)
  expect(costs.of('emulated', 500, 6_000)).toBe(500)
})
