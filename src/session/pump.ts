import { setImmediate as nextTurn } from 'node:timers/promises'
import type { EventConsumer } from '../base/event.ts'

/** Where events come from: drains what has happened so far, up to so many events, and says how much it was. */
export interface EventSource {
  drain(consumer: EventConsumer, most: number): number
  /** Whether the next event is to end the reader's pause. */
  wakeOnEvent?(isWanted: boolean): void
}

/** After so many the reader looks up: a report may have come, or a signal. */
const largestBatch = 50_000
/** The same where somebody may be waiting for an answer. */
const watchfulBatch = 250
/** A batch so large that the next one should be fetched without a pause. */
const busyBatch = 2_000
const flushIntervalMs = 20
/** The same where somebody may be waiting for an answer: less to write takes less time. */
const watchfulFlushIntervalMs = 2
/** The longest pause of a reader that nobody wakes up: people take that for at once. */
const awakePauseMaxMs = 16
/** Of one that is woken up by the next event: other things may have to be noticed meanwhile. */
const asleepPauseMs = 250

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
 * Moves events from the kernel to the reconstruction, and lets the output out, until `done` holds. What is left then is the
 * caller's to read, when no more can come: a program that does more than can be read must not put off the end.
 * While something happens no event wakes the reader up: it looks again at once where it is much, and ever more rarely
 * where it is little. When nothing happens it asks to be woken up.
 */
export async function pumpEvents(
  source: EventSource,
  consumer: EventConsumer,
  hooks: {
    /** Called every few tens of milliseconds while something happens. */
    readonly flush: () => void
    readonly done: () => boolean
    /** While it holds `lookOut` takes the place of the pauses. */
    readonly isWatchful?: () => boolean
    readonly lookOut?: (isIdle: boolean) => void
    /** Its pauses: `end` them when `done` may hold, and when an event wakes the reader up. */
    readonly pause?: Pause
  },
): Promise<void> {
  const { flush, done, pause = new Pause(), isWatchful = () => false, lookOut = () => {} } = hooks
  let pauseMs = 1
  let isAsleep = false
  let lastFlush = performance.now()
  for (;;) {
    const watchful = isWatchful()
    const count = source.drain(consumer, watchful ? watchfulBatch : largestBatch)
    const now = performance.now()
    if (now - lastFlush >= (watchful ? watchfulFlushIntervalMs : flushIntervalMs)) {
      flush()
      lastFlush = now
    }
    if (isAsleep && count > 0) {
      isAsleep = false
      source.wakeOnEvent?.(false)
    }
    // There may be ever more.
    if (done()) return
    if (watchful) {
      lookOut(count < watchfulBatch)
      await nextTurn()
      continue
    }
    if (count >= busyBatch) {
      await nextTurn()
      continue
    }
    if (count > 0) pauseMs = 1
    else if (pauseMs < awakePauseMaxMs) pauseMs *= 2
    else if (!isAsleep && source.wakeOnEvent !== undefined) {
      isAsleep = true
      source.wakeOnEvent(true)
      // What happened just before wakes nobody up.
      continue
    }
    await pause.for(isAsleep ? asleepPauseMs : pauseMs)
  }
}
