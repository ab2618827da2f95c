import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import type { EventConsumer } from '../base/event.ts'

/** Where events come from: drains what has happened so far, and says how much it was. */
export interface EventSource {
  drain(consumer: EventConsumer): number
}

/** A batch so large that the next one should be fetched without a pause. */
const busyBatch = 2_000
const idlePauseMaxMs = 30
const flushIntervalMs = 20

/**
 * Moves events from the kernel to the reconstruction, and lets the output out, until `done` holds and nothing is left.
 * Nobody wakes the reader up: it looks again at once while much is happening, and ever more rarely when nothing is.
 */
export async function pumpEvents(
  source: EventSource,
  consumer: EventConsumer,
  hooks: {
    /** Called every few tens of milliseconds. */
    readonly flush: () => void
    readonly done: () => boolean
  },
): Promise<void> {
  let idlePauseMs = 1
  let lastFlush = performance.now()
  for (;;) {
    const done = hooks.done()
    const count = source.drain(consumer)
    const now = performance.now()
    if (now - lastFlush >= flushIntervalMs) {
      hooks.flush()
      lastFlush = now
    }
    if (count >= busyBatch) {
      await nextTurn()
      continue
    }
    if (done && count === 0) return
    idlePauseMs = count > 0 ? 1 : Math.min(idlePauseMs * 2, idlePauseMaxMs)
    await pause(idlePauseMs)
  }
}
