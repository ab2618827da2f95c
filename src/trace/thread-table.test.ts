import { expect, test } from 'vitest'
import { tracedThread } from '../../test/support/traced-thread.ts'
import { ThreadTable } from './thread-table.ts'

const thread = tracedThread

test('a thread keeps its state, whatever comes between', () => {
  const table = new ThreadTable(
    () => ({ busy: false }),
    (state) => !state.busy,
  )
  const first = table.of(thread(1))
  expect(table.of(thread(1))).toBe(first)
  expect(table.of(thread(2))).not.toBe(first)
  expect(table.of(thread(1))).toBe(first)
  expect([...table.all()]).toHaveLength(2)
})

test('idle threads are forgotten, busy ones are not', () => {
  const table = new ThreadTable(
    () => ({ busy: false }),
    (state) => !state.busy,
  )
  const busy = table.of(thread(1))
  busy.busy = true
  for (let tid = 2; tid < 100_000; tid += 1) table.of(thread(tid))
  expect(table.size).toBeLessThanOrEqual(1024)
  expect(table.of(thread(1))).toBe(busy)
})
