import fc from 'fast-check'
import { expect, test } from 'vitest'
import { asVirtualAddress } from '../base/units.ts'
import { findPossibleJumps } from './jump-scan.ts'

const BASE = 0x40_1000
const reading = (code: Uint8Array) => (address: number, size: number) =>
  code.subarray(address - BASE, address - BASE + size)
const range = (from: number, to: number) => ({
  first: asVirtualAddress(BASE + from),
  last: asVirtualAddress(BASE + to),
})
const whole = (code: Uint8Array) => [{ address: asVirtualAddress(BASE), size: code.length }]

test.each([
  ['jmp short', 'eb', 1],
  ['jo', '70', 1],
  ['jg', '7f', 1],
  ['loop', 'e2', 1],
  ['jrcxz', 'e3', 1],
  ['jmp', 'e9', 4],
  ['je near', '0f84', 4],
  ['call', 'e8', 4],
])('finds a %s to any place before and behind it', (_, opcode, width) => {
  const reach = width === 1 ? 100 : 1000
  fc.assert(
    fc.property(fc.integer({ min: -reach, max: reach }), (distance) => {
      const code = Buffer.alloc(3000)
      const at = 1500
      code.write(opcode, at, 'hex')
      const field = at + opcode.length / 2
      code.writeIntLE(distance, field, width)
      const target = field + width + distance
      const found = findPossibleJumps([range(target, target)], whole(code), reading(code))
      expect(found).toContainEqual({ at: BASE + field, target: BASE + target })
    }),
  )
})

test.each([-4, -3, -2, -1, 0, 1, 4])(
  'finds a jump %i bytes from the border of the pieces in which code is read',
  (distance) => {
    const code = Buffer.alloc((1 << 20) + 64)
    const field = (1 << 20) + distance
    code.writeInt32LE(20 - field - 4, field)
    const found = findPossibleJumps([range(20, 20)], whole(code), reading(code))
    expect(found).toContainEqual({ at: BASE + field, target: BASE + 20 })
  },
)

test('finds nothing where nothing jumps', () => {
  const code = Buffer.alloc(64, 0x90)
  expect(findPossibleJumps([range(1, 8)], whole(code), reading(code))).toEqual([])
  expect(findPossibleJumps([], whole(code), reading(code))).toEqual([])
})

test('gives up on ranges too far apart', () => {
  const far = [range(1, 2), range(2 ** 40, 2 ** 40)]
  expect(findPossibleJumps(far, [], () => undefined)).toBeUndefined()
})
