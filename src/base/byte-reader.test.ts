import { describe, expect, it } from 'vitest'
import { ByteReader } from './byte-reader.ts'

const reader = (...bytes: number[]) => new ByteReader(Uint8Array.from(bytes))

describe('ByteReader', () => {
  it('reads fields in little-endian order, one after the other', () => {
    const fields = reader(1, 2, 0, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
    expect([fields.u8(), fields.u16(), fields.i32(), fields.i64()]).toEqual([1, 2, -2, -1])
    expect(fields.overrun).toBe(false)
    expect(fields.remaining).toBe(0)
  })

  it('keeps 53 bits of a 64-bit field exact', () => {
    expect(reader(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f, 0).u64()).toBe(Number.MAX_SAFE_INTEGER)
  })

  it('reads the LEB128 examples of the DWARF standard', () => {
    expect(reader(0x80, 0x01).uleb()).toBe(128)
    expect(reader(0xb9, 0x64).uleb()).toBe(12857)
    expect(reader(0x7e).sleb()).toBe(-2)
    expect(reader(0x80, 0x7f).sleb()).toBe(-128)
    expect(reader(0xff, 0x00).sleb()).toBe(127)
  })

  it('yields 0 and says so once a field lies beyond the end', () => {
    const fields = reader(1, 2, 3)
    expect(fields.u32()).toBe(0)
    expect(fields.overrun).toBe(true)
    expect(fields.u8()).toBe(0)
  })

  it('calls an endless LEB128 and an unterminated string overruns', () => {
    const endless = reader(...new Array(12).fill(0x80))
    expect(endless.uleb()).toBe(0)
    expect(endless.overrun).toBe(true)
    const open = reader(0x61, 0x62)
    expect(open.cstring()).toBe('')
    expect(open.overrun).toBe(true)
    expect(reader(0x7a, 0x52, 0).cstring()).toBe('zR')
  })
})
