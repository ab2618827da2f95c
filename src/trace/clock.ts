import type { TraceNs } from '../base/units.ts'

/**
 * The clock of one trace: CLOCK_MONOTONIC, rebased so that its readings stay exact in a double.
 * `baseNs` is the monotonic time of trace time 0.
 */
export interface TraceClock {
  readonly baseNs: bigint
}

const nsPerSecond = 1_000_000_000

/**
 * Absolute monotonic time in decimal nanoseconds, exact at any uptime, without BigInt per event:
 * seconds and nanoseconds of the base are added apart.
 */
export function absoluteNsFormatter(clock: TraceClock): (time: TraceNs) => string {
  const baseSeconds = Number(clock.baseNs / 1_000_000_000n)
  const baseRest = Number(clock.baseNs % 1_000_000_000n)
  return (time) => {
    const rest = time + baseRest
    const carry = Math.floor(rest / nsPerSecond)
    const seconds = baseSeconds + carry
    const nanoseconds = rest - carry * nsPerSecond
    return seconds === 0 ? String(nanoseconds) : `${seconds}${String(nanoseconds).padStart(9, '0')}`
  }
}
