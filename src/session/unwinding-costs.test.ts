import { expect, it } from 'vitest'
import { UnwindingCosts } from './unwinding-costs.ts'

function costsWith(surchargeNs: number | undefined) {
  const calls = new Map<number, number>()
  const costs = new UnwindingCosts({
    callsOf: (id) => calls.get(id) ?? 0,
    surchargeNs: () => surchargeNs,
  })
  return { costs, callMore: (id: number, count: number) => calls.set(id, (calls.get(id) ?? 0) + count) }
}
const [outer, inner] = [1, 2]

it('has patience, and then gives up on functions that are passed more often than it pays', () => {
  const { costs, callMore } = costsWith(10_000)
  let waits = 0
  while (!costs.areTooHigh([inner, outer]) && waits < 10_000) {
    callMore(inner, 1)
    costs.waited([inner, outer], 100_000)
    waits++
  }
  expect(waits).toBeGreaterThan(100)
  expect(waits).toBeLessThan(1_000)
  expect(costs.areTooHigh([outer])).toBe(false)
})

it.each([10_000, undefined])('goes on where probed exits would cost more: %s', (surchargeNs) => {
  const { costs, callMore } = costsWith(surchargeNs)
  for (let i = 0; i < 10_000; i++) {
    callMore(outer, 20)
    costs.waited([inner, outer], 100_000)
  }
  expect(costs.areTooHigh([inner, outer])).toBe(false)
})

it('does not count what was spared long ago', () => {
  const { costs, callMore } = costsWith(10_000)
  callMore(inner, 1_000_000)
  costs.waited([inner], 1)
  for (let i = 0; i < 300; i++) costs.waited([inner], 100_000)
  expect(costs.areTooHigh([inner])).toBe(true)
})

it('does not take one long wait for the rule', () => {
  const { costs } = costsWith(10_000)
  for (let i = 0; i < 5; i++) costs.waited([inner], 1e9)
  expect(costs.areTooHigh([inner])).toBe(false)
})

it('does not care about what nobody knows', () => {
  const { costs } = costsWith(1)
  costs.waited([], 1e12)
  expect(costs.areTooHigh([])).toBe(false)
})
