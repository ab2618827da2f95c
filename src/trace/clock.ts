/**
 * The clock of one trace: CLOCK_MONOTONIC, rebased so that its readings stay exact in a double.
 * `baseNs` is the monotonic time of trace time 0.
 */
export interface TraceClock {
  readonly baseNs: bigint
}

export const nsPerSecond = 1_000_000_000

/**
 * The base of a clock in two parts that doubles hold exactly. A trace time is added to `restNs` and what exceeds
 * a second carried over, so that absolute times are exact at any uptime without BigInt per event.
 */
export interface SplitBase {
  readonly seconds: number
  /** 0 to 999,999,999. */
  readonly restNs: number
}

export function splitBase(clock: TraceClock): SplitBase {
  return {
    seconds: Number(clock.baseNs / 1_000_000_000n),
    restNs: Number(clock.baseNs % 1_000_000_000n),
  }
}
