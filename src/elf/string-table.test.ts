import { describe, expect, it } from 'vitest'
import { StringTable } from './string-table.ts'

const table = new StringTable(Buffer.from('\0main\0memcpy@@GLIBC_2.14\0@odd\0gr\u00fc\u00dfe\0open'))

describe('StringTable', () => {
  it('gives the string at an offset, even in the middle of another', () => {
    expect([table.at(0), table.at(1), table.at(3)]).toEqual(['', 'main', 'in'])
    expect(new StringTable(Buffer.from('plain\0')).at(0)).toBe('plain')
  })

  it('reads names that are not ASCII as UTF-8', () => {
    expect(table.at(30)).toBe('grüße')
  })

  it('drops versions, but not a name that starts with an at sign', () => {
    expect([table.unversionedAt(6), table.unversionedAt(25)]).toEqual(['memcpy', '@odd'])
  })

  it('tells names from nothing, and cuts what is absurdly long', () => {
    expect([table.hasNameAt(0), table.hasNameAt(1), table.hasNameAt(38), table.hasNameAt(1000)]).toEqual([
      false,
      true,
      false,
      false,
    ])
    const long = new StringTable(Buffer.concat([Buffer.alloc(200_000, 'x'), Buffer.alloc(1)]))
    expect(long.unversionedAt(0)).toHaveLength(65536)
  })

  it('knows no string outside the table, without an end or without bound', () => {
    const length = 200_000
    expect([table.at(38), table.at(1000), table.at(-1)]).toEqual([undefined, undefined, undefined])
    expect(new StringTable(Buffer.concat([Buffer.alloc(length, 'x'), Buffer.alloc(1)])).at(0)).toBeUndefined()
    expect(new StringTable(Buffer.concat([Buffer.alloc(9000, 'x'), Buffer.alloc(1)])).at(0)).toHaveLength(
      9000,
    )
  })

  it('compares strings of two tables without making them', () => {
    const other = new StringTable(Buffer.from('xmain\0mainly\0'))
    expect(table.isSame(1, other, 1)).toBe(true)
    expect(table.isSame(1, other, 6)).toBe(false)
    expect(table.isSame(1000, other, 1000)).toBe(false)
  })
})
