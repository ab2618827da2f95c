import { expect, test } from 'vitest'
import { UsageError } from './errors.ts'
import { parseSize } from './size.ts'

test.each([
  ['0', 0],
  ['4096', 4096],
  ['64K', 65_536],
  ['64k', 65_536],
  ['4M', 4_194_304],
  ['4 MB', 4_194_304],
  ['4MiB', 4_194_304],
  ['1G', 1_073_741_824],
])('%j', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes)
})

test.each(['', 'M', '-4M', '4.5M', '4T', '4MM', '1e6', '9'.repeat(16)])('rejects %j', (text) => {
  expect(() => parseSize(text)).toThrow(UsageError)
  expect(() => parseSize(text)).toThrow('is not a size')
})
