import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { asVirtualAddress } from '../base/units.ts'
import { placeEntries } from '../probe/place-entries.ts'
import { placementMemory } from './placement-memory.ts'

let base: string
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'utrace-placements-'))
  vi.stubEnv('XDG_CACHE_HOME', base)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(base, { recursive: true, force: true })
})

const remembered = (library: string, build = 'build') => placementMemory(library, build)!

const start = asVirtualAddress(0x1000)
/** xor eax, eax; test edi, edi; je; ret */
const bytes = Uint8Array.from([0x31, 0xc0, 0x85, 0xff, 0x74, 0x00, 0xc3])

function place(code = bytes) {
  return placeEntries(
    [{ address: start, size: code.length, returnAddressOnTop: true }],
    {
      functions: [],
      unwind: { lookup: () => undefined },
      read: (address, size) =>
        address < start ? undefined : code.subarray(address - start, address - start + size),
      toFileOffset: () => undefined,
      isWritable: () => false,
      callsLeaveModule: false,
      entryPoint: undefined,
      placements: remembered('abc'),
    },
    false,
  )[0]?.offset
}

test('a later run places an entry where it was, as long as an instruction begins there', async () => {
  expect(place()).toBe(4)
  await nextTurn()
  expect(remembered('abc').get(start, true)).toBe(4)
  expect(remembered('abc').get(start, false)).toBe(undefined)
  expect(remembered('abd').get(start, true)).toBe(undefined)
  expect(remembered('abc', 'another build').get(start, true)).toBe(undefined)
  remembered('abc').set(start, true, 2)
  await nextTurn()
  expect(place()).toBe(2)
  remembered('abc').set(start, true, 3)
  await nextTurn()
  expect(place()).toBe(4)
})
