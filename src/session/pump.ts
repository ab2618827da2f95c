import { setImmediate as nextTurn } from 'node:timers/promises'
import type { EventConsumer } from '../base/event.ts'

/** Where events come from: drains what has happened so far, and says how much it was. */
export interface EventSource {
  drain(consumer: EventConsumer): number
}

/** A batch so large that the next one should be fetched without a pause. */
const busyBatch = 2_000
const flushIntervalMs = 20
/** So rarely that it costs next to nothing, so often that people take it for at once. */
const idlePauseMaxMs = 200
/** A program that does nothing but call: about the shortest time from event to event on one CPU, with its bytes. */
const fastestEventMs = 0.0005
const eventBytes = 24

/** The longest pause in which a ring is not half full, whatever begins meanwhile. */
export function longestPauseMs(ringBytes: number): number {
  return Math.min(idlePauseMaxMs, Math.max(1, (ringBytes / 2 / eventBytes) * fastestEventMs))
}

/** A pause that can be ended early. */
export class Pause {
  #end: (() => void) | undefined

  /** Ends the pause that somebody is in, if any. */
  end(): void {
    this.#end?.()
  }

  async for(milliseconds: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds)
      this.#end = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#end = undefined
  }
}

/**
 * Moves events from the kernel to the reconstruction, and lets the output out, until `done` holds and nothing is left.
 * No event wakes the reader up: it looks again at once while much is happening, and ever more rarely when nothing is.
 */
export async function pumpEvents(
  source: EventSource,
  consumer: EventConsumer,
  hooks: {
    /** Called every few tens of milliseconds. */
    readonly flush: () => void
    readonly done: () => boolean
    /** Its pauses: `end` them when `done` may hold. */
    readonly pause?: Pause
    readonly longestPauseMs?: number
  },
): Promise<void> {
  const { flush, done, pause = new Pause(), longestPauseMs = idlePauseMaxMs } = hooks
  let pauseMs = 1
  let lastFlush = performance.now()
  for (;;) {
    const isDone = done()
    const count = source.drain(consumer)
    const now = performance.now()
    if (now - lastFlush >= flushIntervalMs) {
      flush()
      lastFlush = now
    }
    if (count >= busyBatch) {
      await nextTurn()
      continue
    }
    if (isDone && count === 0) return
    pauseMs = count > 0 ? 1 : Math.min(pauseMs * 2, longestPauseMs)
    await pause.for(pauseMs)
  }
}
