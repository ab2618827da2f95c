import { describe, expect, it } from 'vitest'
import { crc32, ownCrc32 } from './crc32.ts'

describe.each([
  ['the one in use', crc32],
  ['the one for Node before 20.15', ownCrc32],
])('%s', (_, checksum) => {
  it('is the published check value', () => {
    // "check" of CRC-32/ISO-HDLC: https://reveng.sourceforge.io/crc-catalogue/
    expect(checksum(Buffer.from('123456789'))).toBe(0xcbf43926)
  })

  it('takes any length, at once or in parts', () => {
    const text = Buffer.from('The quick brown fox jumps over the lazy dog')
    expect(checksum(text)).toBe(0x414fa339)
    expect(checksum(text.subarray(17), checksum(text.subarray(0, 17)))).toBe(0x414fa339)
    expect(checksum(new Uint8Array(0))).toBe(0)
  })
})
