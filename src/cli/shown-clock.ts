import type { TraceClock } from '../trace/clock.ts'

export const clockNames = ['monotonic', 'realtime', 'elapsed'] as const
export type ClockName = (typeof clockNames)[number]

export const clockHelp =
  'What times are told in: CLOCK_MONOTONIC as perf and ftrace have it (default), time since 1970, or since utrace began'

/** The clock by which the times of a trace are shown. @param realtimeBaseNs nanoseconds since 1970 at trace time 0 */
export function shownClock(name: ClockName, clock: TraceClock, realtimeBaseNs: () => bigint): TraceClock {
  if (name === 'monotonic') return clock
  return { baseNs: name === 'elapsed' ? 0n : realtimeBaseNs() }
}

/**
 * Nanoseconds since 1970 (CLOCK_REALTIME) at trace time 0, exact to some microseconds. Node tells that time in
 * milliseconds only: the moment is awaited at which the next one begins.
 */
export function realtimeBase({ baseNs }: TraceClock): bigint {
  const before = Date.now()
  let now = before
  while (now === before) now = Date.now()
  return BigInt(now) * 1_000_000n - (process.hrtime.bigint() - baseNs)
}
