import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { EventConsumer } from '../base/event.ts'
import { Pause, pumpEvents } from './pump.ts'

const consumer: EventConsumer = { event: () => {} }

/** A source that has so many events at each look, and none after that. */
function sourceOf(counts: readonly number[]) {
  const looks: number[] = []
  return {
    looks,
    drain(given: EventConsumer) {
      expect(given).toBe(consumer)
      looks.push(performance.now())
      return counts[looks.length - 1] ?? 0
    },
  }
}

describe('pumpEvents', () => {
  test.each([0, 3, 5000])('ends when it is done, with %i events at each look', async (count) => {
    const source = sourceOf(new Array(1000).fill(count))
    await pumpEvents(source, consumer, { flush: () => {}, done: () => source.looks.length >= 2 })
    expect(source.looks).toHaveLength(2)
  })

  test('does not rest while much is happening, and rests longer when nothing is', async () => {
    const busy = sourceOf(new Array(400).fill(5000))
    let started = performance.now()
    await pumpEvents(busy, consumer, { flush: () => {}, done: () => busy.looks.length >= 400 })
    expect(performance.now() - started).toBeLessThan(300)
    const idle = sourceOf([])
    started = performance.now()
    await pumpEvents(idle, consumer, { flush: () => {}, done: () => performance.now() - started > 300 })
    expect(idle.looks.length).toBeLessThan(30)
    expect(idle.looks.length).toBeGreaterThan(7)
  })

  test('while somebody may wait for an answer it reads in small batches, and looks out in between', async () => {
    const batches: number[] = []
    const lookedOut: boolean[] = []
    let isWatchful = true
    const source = {
      drain: (_: EventConsumer, most: number) => {
        batches.push(most)
        return batches.length === 1 ? most : 3
      },
    }
    await pumpEvents(source, consumer, {
      flush: () => {},
      done: () => batches.length >= 3,
      isWatchful: () => isWatchful,
      lookOut: (isIdle) => {
        lookedOut.push(isIdle)
        isWatchful = lookedOut.length < 2
      },
    })
    expect(lookedOut).toEqual([false, true])
    expect(batches[0]).toBe(batches[1])
    expect(batches[0]! * 10).toBeLessThan(batches[2]!)
  })

  test('where nothing happens it asks to be woken up, looks once more, and sleeps', async () => {
    const asked: [boolean, number][] = []
    const pause = new Pause()
    let isOver = false
    const source = {
      ...sourceOf([0, 0, 0, 0, 0, 0, 0, 3]),
      wakeOnEvent: (isWanted: boolean) => asked.push([isWanted, source.looks.length]),
    }
    const pumped = pumpEvents(source, consumer, { flush: () => {}, done: () => isOver, pause })
    while (asked.length === 0) await nextTurn()
    // Once before it sleeps, and not again.
    await nextTurn()
    const looks = source.looks.length
    expect(looks).toBe(asked[0]![1] + 1)
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(source.looks).toHaveLength(looks)
    while (source.looks.length < 8) {
      pause.end()
      await nextTurn()
    }
    expect(asked.slice(0, 2)).toEqual([
      [true, looks - 1],
      [false, 8],
    ])
    isOver = true
    pause.end()
    await pumped
  })

  test('lets the output out every few tens of milliseconds, however busy it is', async () => {
    const flushes: number[] = []
    const start = performance.now()
    const source = { drain: () => (performance.now() - start < 200 ? 5000 : 0) }
    await pumpEvents(source, consumer, {
      flush: () => flushes.push(performance.now() - start),
      done: () => performance.now() - start > 200,
    })
    expect(flushes.length).toBeGreaterThanOrEqual(3)
    expect(flushes[0]).toBeLessThan(100)
  })

  test('what goes wrong while looking ends it', async () => {
    const source = {
      drain: () => {
        throw new Error('no more')
      },
    }
    await expect(pumpEvents(source, consumer, { flush: () => {}, done: () => true })).rejects.toThrow(
      'no more',
    )
  })
})
