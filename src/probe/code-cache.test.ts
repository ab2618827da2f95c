import fc from 'fast-check'
import { expect, test } from 'vitest'
import { asVirtualAddress } from '../base/units.ts'
import { cachedRead } from './code-cache.ts'

const image = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 7) & 0xff)
const BASE = 0x1000

test('reads what the file holds, short at its end, in far fewer reads', () => {
  let reads = 0
  const plain = (address: number, size: number) =>
    address < BASE ? undefined : image.subarray(address - BASE, address - BASE + size)
  const cached = cachedRead((address, size) => {
    reads++
    return plain(address, size)
  })
  const request = fc.tuple(fc.integer({ min: BASE - 10, max: BASE + 200_000 }), fc.nat(300))
  fc.assert(
    fc.property(request, ([address, size]) => {
      expect(cached(asVirtualAddress(address), size)).toEqual(plain(address, size))
    }),
  )
  reads = 0
  for (let at = 0; at < 199_000; at += 10) cached(asVirtualAddress(BASE + at), 10)
  expect(reads).toBeLessThan(10)
})
