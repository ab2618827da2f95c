import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatDuration } from '../base/duration.ts'
import { splitBase } from '../trace/clock.ts'
import { ByteWriter } from './byte-writer.ts'
import { bound } from './columns.ts'
import { durationWidth, writeDuration, writeTimestamp } from './time-text.ts'

function written(use: (out: ByteWriter) => void): string {
  let text = ''
  const out = new ByteWriter((chunk) => {
    text += Buffer.from(chunk).toString()
  })
  use(out)
  out.flush()
  return text
}

const durations = fc.nat(15).chain((digits) => fc.maxSafeNat().map((value) => value % 10 ** digits))

test('durations are those of formatDuration, in a column or in a line', () => {
  fc.assert(
    fc.property(durations, (ns) => {
      const { text, unit } = formatDuration(ns)
      const column = written((out) => writeDuration(out, ns, bound.atMost, 'column', false))
      expect(column).toBe(`<${text} ${unit.padEnd(2)}`)
      expect(column).toHaveLength(1 + durationWidth)
      const inline = written((out) => writeDuration(out, ns, bound.exact, 'inline', false))
      expect(inline).toBe(`${text.trim()} ${unit}`)
    }),
  )
})

test('timestamps are exact at any uptime', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 18n }), fc.nat(), (baseNs, timeNs) => {
      const digits = String(baseNs + BigInt(timeNs)).padStart(10, '0')
      const text = written((out) => writeTimestamp(out, splitBase({ baseNs }), timeNs, 7))
      expect(text).toBe(`${digits.slice(0, -9).padStart(7)}.${digits.slice(-9)}`)
    }),
  )
})
