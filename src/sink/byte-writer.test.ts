import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteWriter } from './byte-writer.ts'

function written(use: (out: ByteWriter) => void): string {
  const chunks: Buffer[] = []
  const out = new ByteWriter((chunk) => chunks.push(Buffer.from(chunk)))
  use(out)
  out.flush()
  return Buffer.concat(chunks).toString()
}

describe('integers', () => {
  test('are what String() makes of them', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        expect(written((out) => out.integer(value))).toBe(String(value))
      }),
    )
  })

  test('at every power of ten', () => {
    for (let exponent = 0; exponent <= 15; exponent += 1) {
      for (const value of [10 ** exponent - 1, 10 ** exponent, 10 ** exponent + 1]) {
        expect(written((out) => out.integer(value))).toBe(String(value))
      }
    }
  })

  test('aligned to the right, or wider than asked', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.nat(20), (value, width) => {
        expect(written((out) => out.integerRight(value, width))).toBe(String(value).padStart(width))
      }),
    )
  })

  test('with leading zeros', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.integer({ min: 16, max: 20 }), (value, count) => {
        expect(written((out) => out.digits(value, count))).toBe(String(value).padStart(count, '0'))
      }),
    )
    expect(written((out) => out.digits(1_234, 3))).toBe('234')
  })
})

test('any mix of writes comes out in order, in whole lines, however long they are', () => {
  const line = fc.array(fc.oneof(fc.string({ maxLength: 200 }), fc.nat(300_000)), { maxLength: 5 })
  fc.assert(
    fc.property(fc.array(line, { maxLength: 20 }), (lines) => {
      const chunks: string[] = []
      const out = new ByteWriter((chunk) => chunks.push(Buffer.from(chunk).toString()))
      let expected = ''
      for (const parts of lines) {
        for (const part of parts) {
          if (typeof part === 'number') out.spaces(part)
          else out.bytes(Buffer.from(part))
          expected += typeof part === 'number' ? ' '.repeat(part) : part
        }
        out.endLine()
        expected += '\n'
      }
      out.flush()
      expect(chunks.join('')).toBe(expected)
      for (const chunk of chunks) expect(chunk.at(-1)).toBe('\n')
    }),
    { numRuns: 50 },
  )
})

test('64 KiB are handed on unasked, less is not', () => {
  const sizes: number[] = []
  const out = new ByteWriter((chunk) => sizes.push(chunk.length))
  out.spaces(65_534)
  out.endLine()
  expect(sizes).toEqual([])
  out.endLine()
  expect(sizes).toEqual([65_536])
  out.flush()
  expect(sizes).toHaveLength(1)
})

test('bytes whose writing failed are not written twice', () => {
  let attempts = 0
  const out = new ByteWriter(() => {
    attempts += 1
    throw new Error('EPIPE')
  })
  out.endLine()
  expect(() => out.flush()).toThrow('EPIPE')
  expect(() => out.flush()).not.toThrow()
  expect(attempts).toBe(1)
})
