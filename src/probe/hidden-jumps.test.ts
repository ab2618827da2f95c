import { expect, test } from 'vitest'
import { asVirtualAddress } from '../base/units.ts'
import { mayJumpInto } from './hidden-jumps.ts'
import type { CodePointers, ModuleCode } from './module-code.ts'

const code = { start: 0x1000, end: 0x2000 }
const tableAt = 0x3000
const quiet = { first: asVirtualAddress(0x1001), last: asVirtualAddress(0x1008) }

/** A function that takes addresses, beside a table of distances. */
function leads(
  addresses: readonly number[],
  table: readonly number[],
  pointers?: Partial<CodePointers> | null,
) {
  const bytes = Buffer.alloc(16 + addresses.length * 7, 0x90)
  addresses.forEach((address, index) => {
    const at = 16 + index * 7
    bytes.set([0x48, 0x8d, 0x05], at)
    bytes.writeInt32LE(address - (quiet.first - 1 + at + 7), at + 3)
  })
  const data = Buffer.from(Int32Array.from(table).buffer)
  const module = {
    read: (address: number, size: number) =>
      address < tableAt ? undefined : data.subarray(address - tableAt, address - tableAt + size),
    pointers:
      pointers === null
        ? undefined
        : {
            pointsInto: () => false,
            isCode: (address: number) => address >= code.start && address < code.end,
            ...pointers,
          },
  } as unknown as ModuleCode
  return mayJumpInto(quiet, { address: asVirtualAddress(quiet.first - 1), bytes }, module)
}

const to = (target: number, base = tableAt) => target - base

test('a switch leads where its table says', () => {
  expect(leads([tableAt], [to(0x1009), to(0x1000), to(0x1fff)])).toBe(false)
  expect(leads([tableAt], [to(0x1009), to(0x1008), to(0x1fff)])).toBe(true)
  expect(leads([tableAt], [to(0x1009), to(0x1001)])).toBe(true)
})

test('a table ends where an entry is no code', () => {
  expect(leads([tableAt], [to(0x1009), to(0x2000), to(0x1001)])).toBe(false)
  expect(leads([tableAt + 1], [to(0x1001)])).toBe(false)
})

test('distances may be from a label', () => {
  expect(leads([tableAt, 0x1100], [to(0x1009, 0x1100), to(0x1004, 0x1100)])).toBe(true)
  expect(leads([tableAt, 0x1100], [to(0x1009, 0x1100), to(0x1000, 0x1100)])).toBe(false)
})

test('labels whose address is taken or stored are reached', () => {
  expect(leads([0x1001], [])).toBe(true)
  expect(leads([0x1000], [])).toBe(false)
  expect(leads([], [], { pointsInto: () => true })).toBe(true)
})

test('at a fixed address nothing is known', () => {
  expect(leads([], [], null)).toBe(true)
})
