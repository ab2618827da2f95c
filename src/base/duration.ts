import { UsageError } from './errors.ts'
import { quoteText } from './escape.ts'
import type { DurationNs } from './units.ts'

export type DurationUnit = 'ns' | 'us' | 'ms' | 's' | 'm' | 'h'

/**
 * The units of a printed duration, shortest first. A duration is rounded to thousandths of a unit and shown in the
 * first unit where that is below the limit, so that rounding up carries into the next unit.
 */
export const durationUnits: readonly {
  readonly unit: DurationUnit
  readonly nsPerThousandth: number
  readonly limitThousandths: number
}[] = [
  { unit: 'ns', nsPerThousandth: 1e-3, limitThousandths: 1_000_000 },
  { unit: 'us', nsPerThousandth: 1, limitThousandths: 1_000_000 },
  { unit: 'ms', nsPerThousandth: 1e3, limitThousandths: 1_000_000 },
  { unit: 's', nsPerThousandth: 1e6, limitThousandths: 60_000 },
  { unit: 'm', nsPerThousandth: 6e7, limitThousandths: 60_000 },
  { unit: 'h', nsPerThousandth: 3.6e9, limitThousandths: Number.POSITIVE_INFINITY },
]

/** A duration (not negative) as `%7.3f` and its unit: `{ text: '  1.234', unit: 'us' }`. */
export function formatDuration(ns: number): { readonly text: string; readonly unit: DurationUnit } {
  const fits = durationUnits.find((candidate) => inThousandths(ns, candidate) < candidate.limitThousandths)!
  const thousandths = inThousandths(ns, fits)
  const fraction = String(thousandths % 1000).padStart(3, '0')
  return { text: `${Math.floor(thousandths / 1000)}.${fraction}`.padStart(7), unit: fits.unit }
}

const inThousandths = (ns: number, unit: { readonly nsPerThousandth: number }) =>
  Math.round(ns / unit.nsPerThousandth)

const nsPerUnit: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n, // U+00B5, micro sign
  μs: 1_000n, // U+03BC, Greek mu
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
}

/**
 * A duration as people write it: a decimal number and one of `ns us µs ms s m h`, with or without a blank between
 * them (`1.5ms`, `5 us`); `1m` is one minute, and a number without a unit counts nanoseconds. What is finer than a
 * nanosecond is rounded up. The arithmetic is exact: `1.1us` is 1100 ns.
 * @throws UsageError with a message that says what was expected, for anything else
 */
export function parseDuration(text: string): DurationNs {
  const match = /^(\d+|\d*\.\d+)[ \t]*(ns|us|µs|μs|ms|s|m|h)?$/.exec(text.trim())
  if (match === null) {
    throw new UsageError(
      `${quoteText(text)} is not a duration: give a number and one of ns, us, ms, s, m, h, such as 1.5ms`,
    )
  }
  const [whole = '', fraction = ''] = match[1]!.split('.')
  const scale = 10n ** BigInt(fraction.length)
  const scaledNs = BigInt(whole + fraction) * nsPerUnit[match[2] ?? 'ns']!
  const ns = (scaledNs + scale - 1n) / scale
  if (ns > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new UsageError(`the duration ${quoteText(text)} is too long: the longest is 2501h`)
  }
  return Number(ns) as DurationNs
}
