import { type DurationUnit, durationUnits } from '../base/duration.ts'
import { nsPerSecond, type SplitBase } from '../trace/clock.ts'
import { type ByteWriter, encode } from './byte-writer.ts'

const space = 0x20
const point = 0x2e
/** `%7.3f`: three characters for the whole part, the point, and three for the fraction. */
const wholeWidth = 3

export const reset = '\x1b[0m'
/** A glance finds what is slow: what a program does all the time stays calm, a second shouts. */
export const colourOfUnit: Readonly<Record<DurationUnit, string>> = {
  ns: '',
  us: '\x1b[32m',
  ms: '\x1b[33m',
  s: '\x1b[1;31m',
  m: '\x1b[1;35m',
  h: '\x1b[1;35m',
}

const units = durationUnits.map(({ unit, nsPerThousandth, limitThousandths }) => ({
  nsPerThousandth,
  limitThousandths,
  plain: { before: encode(''), after: encode(` ${unit}`), padded: encode(` ${unit.padEnd(2)}`) },
  coloured: {
    before: encode(colourOfUnit[unit]),
    after: encode(` ${unit}${colourOfUnit[unit] && reset}`),
    padded: encode(` ${unit.padEnd(2)}${colourOfUnit[unit] && reset}`),
  },
}))

/** How a duration is laid out: in a column (`%7.3f` and a two-letter unit) or as short as it goes. */
export type DurationLayout = 'column' | 'inline'

/** Width of a duration in a column, up to 999 hours. */
export const durationWidth = 10

/**
 * A duration in nanoseconds as `%7.3f` and the unit that fits, as `formatDuration` has it, without a string.
 * `boundMark` is a character for what is not exact (`<`, `>`), or a space.
 */
export function writeDuration(
  out: ByteWriter,
  ns: number,
  boundMark: number,
  layout: DurationLayout,
  color: boolean,
): void {
  let index = 0
  let unit = units[0]!
  let thousandths = Math.round(ns / unit.nsPerThousandth)
  while (thousandths >= unit.limitThousandths) {
    unit = units[++index]!
    thousandths = Math.round(ns / unit.nsPerThousandth)
  }
  const dress = color ? unit.coloured : unit.plain
  out.bytes(dress.before)
  if (layout === 'column' || boundMark !== space) out.byte(boundMark)
  const whole = Math.floor(thousandths / 1000)
  out.integerRight(whole, layout === 'column' ? wholeWidth : 0)
  out.byte(point)
  out.digits(thousandths - whole * 1000, 3)
  out.bytes(layout === 'column' ? dress.padded : dress.after)
}

const belowResolution = { column: encode('    <0.1 us'), inline: encode('<0.1 us') }

/** In the place of a duration, where all that can be told is that it is below the resolution of compensated ones. */
export function writeBelowResolution(out: ByteWriter, layout: DurationLayout): void {
  out.bytes(belowResolution[layout])
}

/** A trace time as CLOCK_MONOTONIC in `seconds.nanoseconds`, nine decimals; the seconds right-aligned. */
export function writeTimestamp(out: ByteWriter, base: SplitBase, timeNs: number, secondsWidth: number): void {
  const rest = timeNs + base.restNs
  const carry = Math.floor(rest / nsPerSecond)
  out.integerRight(base.seconds + carry, secondsWidth)
  out.byte(point)
  out.digits(rest - carry * nsPerSecond, 9)
}

/** A trace time as CLOCK_MONOTONIC in whole nanoseconds, exact even where it does not fit a double. */
export function writeAbsoluteNs(out: ByteWriter, base: SplitBase, timeNs: number): void {
  const rest = timeNs + base.restNs
  const carry = Math.floor(rest / nsPerSecond)
  const seconds = base.seconds + carry
  if (seconds === 0) {
    out.integer(rest)
    return
  }
  out.integer(seconds)
  out.digits(rest - carry * nsPerSecond, 9)
}
