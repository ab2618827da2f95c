import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { start } from './process.ts'

/** Peak resident memory of a running process in MB, read until it ends. */
export async function peakMemoryMb({ child, pid }: ReturnType<typeof start>): Promise<number> {
  let peakKb = 0
  while (child.exitCode === null && child.signalCode === null) {
    try {
      const [, kb] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
      peakKb = Math.max(peakKb, Number(kb ?? 0))
    } catch {
      // It has ended meanwhile.
    }
    await sleep(20)
  }
  return peakKb / 1024
}
