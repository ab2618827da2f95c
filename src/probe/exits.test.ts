import { expect, test } from 'vitest'
import { asVirtualAddress } from '../base/units.ts'
import { type CodePart, findExits } from './exits.ts'

const MAIN = 0x1000
const part = (address: number, hex: string): CodePart => ({
  address: asVirtualAddress(address),
  bytes: Buffer.from(hex.replaceAll(' ', ''), 'hex'),
})

function exits(hex: string, options: { exact?: boolean; parts?: CodePart[] } = {}) {
  const found = findExits(part(MAIN, hex), {
    exactBounds: options.exact ?? true,
    partAt: (address) =>
      options.parts?.find((it) => address >= it.address && address < it.address + it.bytes.length),
  })
  if (found.kind === 'uncertain') return found.reason
  const { rets, tailJumps, runsOnInto } = found
  const direct = [...tailJumps.flatMap(({ target }) => target ?? []), ...runsOnInto]
  const hexOf = (addresses: readonly number[]) => addresses.map((address) => address.toString(16)).join(' ')
  return `ret ${hexOf(rets.map((ret) => ret.address))}; jumps ${hexOf(direct)}${tailJumps.some(({ target }) => target === undefined) ? ' *' : ''}`
}

test.each([
  ['every form of ret', 'c3 f3c3 f2c3 c20800', 'ret 1000 1001 1003 1005; jumps '],
  ['not the bytes of a ret in another instruction', 'b8c3c3c3c3 c3', 'ret 1005; jumps '],
  ['a tail jump', '5d e9f5000000', 'ret ; jumps 10fb'],
  ['a conditional tail jump', '85ff 0f84f8000000 c3', 'ret 1008; jumps 1100'],
  ['a jump to its own start', '85ff 75fc c3', 'ret 1004; jumps '],
  ['running on over its end', '31c0', 'ret ; jumps 1002'],
  ['a call that does not return', '50 e800000000', 'ret ; jumps '],
  ['a switch: notrack jmp', '3effe0 c3', 'ret 1003; jumps '],
  ['a switch: jmp [table + rax*8]', 'ff24c500000000 c3', 'ret 1007; jumps '],
  ['a switch: movsxd, add, jmp', '48630482 4801d0 ffe0 c3', 'ret 1009; jumps '],
  ['a virtual tail call', '488b07 ff6010', 'ret ; jumps  *'],
  ['a tail call through the offset table', 'ff2500000000', 'ret ; jumps  *'],
  ['a jump over a lock prefix', '7401 f00fb10f c3', 'ret 1006; jumps '],
  ['no size', '', 'its size is not known'],
  ['a far return', '85ff cb', 'it leaves by a far return'],
])('%s', (_, hex, expected) => {
  expect(exits(hex)).toBe(expected)
})

test('data behind a jump is passed over where all ways through the code are in it', () => {
  // jmp +3; three bytes of data that would swallow the ret; ret
  expect(exits('eb03 c3b8c7 c3')).toBe('ret 1005; jumps ')
  expect(exits('eb03 c3b8c7 c3', { exact: false })).toBe('ret 1005; jumps ')
})

test('without exact bounds, what no jump leads to is not believed to be code', () => {
  expect(exits('c3 c3c3', { exact: false })).toBe('ret 1000; jumps ')
  expect(exits('3effe0 c3', { exact: false })).toBe('it jumps to places that its code does not name')
  expect(exits('b800', { exact: false })).toBe('its bytes are not all instructions')
  expect(exits('85ff 7501 b8000000c3 c3', { exact: false })).toBe('its instructions overlap')
})

test('cold parts belong to the function, and those of other functions do not', () => {
  const cold = part(0x3000, '85ff 7501 c3 e9f6dfffff')
  // je cold; ret
  expect(exits('0f84fa1f0000 c3', { parts: [cold] })).toBe('ret 1006 3004; jumps ')
  expect(exits('90 c3', { parts: [cold] })).toBe('ret 1001; jumps ')
})
