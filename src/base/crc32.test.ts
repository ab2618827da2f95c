import { expect, it } from 'vitest'
import { crc32 } from './crc32.ts'

it('is the published check value', () => {
  // "check" of CRC-32/ISO-HDLC: https://reveng.sourceforge.io/crc-catalogue/
  expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926)
})

it('takes any length', () => {
  const text = 'The quick brown fox jumps over the lazy dog'
  expect(crc32(Buffer.from(text))).toBe(0x414fa339)
  expect(crc32(new Uint8Array(0))).toBe(0)
})
