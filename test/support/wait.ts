import { setTimeout as sleep } from 'node:timers/promises'

/** Waits for a condition that something else brings about; fails after `timeoutMs`. */
export async function waitUntil(condition: () => boolean, timeoutMs = 15_000): Promise<void> {
  const end = performance.now() + timeoutMs
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within ${timeoutMs} ms: ${condition}`)
    await sleep(10)
  }
}
