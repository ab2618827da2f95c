import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { durationUnits, formatDuration, parseDuration } from './duration.ts'
import { UsageError } from './errors.ts'

describe('parseDuration', () => {
  test.each([
    ['0', 0],
    ['811', 811],
    ['811ns', 811],
    ['5 us', 5_000],
    ['5us', 5_000],
    ['5µs', 5_000],
    ['5\u03bcs', 5_000],
    ['1.5ms', 1_500_000],
    ['.5ms', 500_000],
    ['1.1us', 1_100],
    ['2.3us', 2_300],
    ['1s', 1_000_000_000],
    ['1m', 60_000_000_000],
    ['0.5m', 30_000_000_000],
    ['1h', 3_600_000_000_000],
    ['2501h', 9_003_600_000_000_000],
    ['1.5ns', 2],
    ['0.0001ns', 1],
    [' 7\tms ', 7_000_000],
  ])('%j', (text, ns) => {
    expect(parseDuration(text)).toBe(ns)
  })

  test.each([
    '',
    ' ',
    'ms',
    '-1ms',
    '+1ms',
    '5 parsecs',
    '1e3',
    '1e3ns',
    '1.ms',
    '1.2.3s',
    '1MS',
    '1,5ms',
    '0x10',
    '1 2',
    'NaN',
  ])('rejects %j', (text) => {
    expect(() => parseDuration(text)).toThrow(UsageError)
    expect(() => parseDuration(text)).toThrow(
      'is not a duration: give a number and one of ns, us, ms, s, m, h',
    )
  })

  test.each(['2502h', '9007199254740992', `${'9'.repeat(400)}h`])('rejects %.20s as too long', (text) => {
    expect(() => parseDuration(text)).toThrow(/too long: the longest is 2501h/)
  })
})

describe('formatDuration', () => {
  test.each([
    [0, '  0.000 ns'],
    [1, '  1.000 ns'],
    [811, '811.000 ns'],
    [999, '999.000 ns'],
    [999.9994, '999.999 ns'],
    [999.9996, '  1.000 us'],
    [1_000, '  1.000 us'],
    [1_234, '  1.234 us'],
    [999_999, '999.999 us'],
    [999_999.6, '  1.000 ms'],
    [1_234_567, '  1.235 ms'],
    [999_999_499, '999.999 ms'],
    [999_999_500, '  1.000 s'],
    [59_999_499_999, ' 59.999 s'],
    [59_999_500_000, '  1.000 m'],
    [60_000_000_000, '  1.000 m'],
    [3_599_969_999_999, ' 59.999 m'],
    [3_599_970_000_000, '  1.000 h'],
    [5_400_000_000_000, '  1.500 h'],
    [8_640_000_000_000_000, '2400.000 h'],
  ])('%d ns', (ns, expected) => {
    const { text, unit } = formatDuration(ns)
    expect(`${text} ${unit}`).toBe(expected)
  })

  test('shows every duration within half a thousandth of its unit, in a unit that fits', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.nat(2_000_000),
          fc.maxSafeNat(),
          fc.nat(48).map((bits) => 2 ** bits - 1),
        ),
        (ns) => {
          const { text, unit } = formatDuration(ns)
          const { nsPerThousandth, limitThousandths } = durationUnits.find((known) => known.unit === unit)!
          expect(text).toMatch(/^( {0,2}\d+)\.\d{3}$/)
          expect(text.length).toBeGreaterThanOrEqual(7)
          const thousandths = Number(text.replace('.', ''))
          expect(thousandths).toBeLessThan(limitThousandths)
          expect(Math.abs(thousandths * nsPerThousandth - ns)).toBeLessThanOrEqual(nsPerThousandth / 2)
          if (unit !== 'ns') expect(thousandths).toBeGreaterThanOrEqual(1000)
        },
      ),
    )
  })

  test('what is shown is read back as what was shown', () => {
    fc.assert(
      fc.property(fc.nat(999_999_499), (ns) => {
        const { text, unit } = formatDuration(ns)
        const { nsPerThousandth } = durationUnits.find((known) => known.unit === unit)!
        expect(Math.abs(parseDuration(`${text} ${unit}`) - ns)).toBeLessThanOrEqual(nsPerThousandth / 2)
      }),
    )
  })
})
