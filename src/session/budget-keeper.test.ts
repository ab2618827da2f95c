import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { eventKind } from '../base/event.ts'
import { asTraceNs } from '../base/units.ts'
import type { FunctionPlan } from '../probe/plan.ts'
import { BudgetKeeper } from './budget-keeper.ts'

beforeEach(() => vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => vi.useRealTimers())

const plan = { entry: { emulated: false }, exit: { kind: 'return' } } as FunctionPlan

/** Calls of function 7 for 200 ms, one every so many nanoseconds. */
function watch(share: number | undefined, periodNs: number) {
  const done = { dropped: [] as number[], share: 0, warnings: 0 }
  const keeper = new BudgetKeeper(share, {
    planOf: () => plan,
    drop: (functions, all) => {
      done.dropped.push(...functions.map(({ id }) => id))
      done.share = all
    },
    warn: () => done.warnings++,
  })
  for (let timeNs = 0; timeNs < 200e6; timeNs += periodNs) {
    keeper.consumer.event(asTraceNs(timeNs), 64, 1, eventKind.entry, 7, 0)
    keeper.consumer.event(asTraceNs(timeNs + 1), 64, 1, eventKind.return, 7, 0)
    vi.advanceTimersByTime(periodNs / 1e6)
    keeper.tick()
  }
  return done
}

test('a function that is called without a pause goes, and costs all of the time', () => {
  const { dropped, share, warnings } = watch(0.05, 20_000)
  expect(new Set(dropped)).toEqual(new Set([7]))
  expect(share).toBeCloseTo(1, 1)
  expect(warnings).toBe(0)
})

test('one that is called rarely stays', () => {
  expect(watch(0.05, 1_000_000)).toMatchObject({ dropped: [], warnings: 0 })
})

test('without a budget there is one warning, if the program does hardly anything else', () => {
  expect(watch(undefined, 20_000)).toMatchObject({ dropped: [], warnings: 1 })
  expect(watch(undefined, 1_000_000)).toMatchObject({ dropped: [], warnings: 0 })
})
