import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openWorkshop, type Workshop } from '../../test/support/build-elf.ts'
import { memorySource } from '../base/byte-source.ts'
import { asVirtualAddress } from '../base/units.ts'
import { ElfError } from './error.ts'
import { readExports } from './exports.ts'
import { readFunctions } from './functions.ts'
import { ifuncImplementations } from './ifunc.ts'
import { parseElf } from './image.ts'
import { readImports } from './imports.ts'
import { PT_DYNAMIC } from './program-headers.ts'
import { readUnwindTable } from './unwind-table.ts'

let workshop: Workshop
const originals: Buffer[] = []
beforeAll(() => {
  workshop = openWorkshop()
  const source = `
    #include <stdio.h>
    static int one(void) { return 1; }
    static void *pick(void) { return one; }
    int chosen(void) __attribute__((ifunc("pick")));
    int main(void) { return printf("%d", chosen()); }
  `
  const layouts = [
    ['-pie'],
    ['-no-pie', '-Wl,--no-eh-frame-hdr'],
    ['-shared', '-fPIC', '-Wl,-z,pack-relative-relocs'],
  ]
  layouts.forEach((flags, index) => {
    originals.push(readFileSync(workshop.build(`original-${index}`, source, flags)))
  })
})
afterAll(() => workshop.remove())

/** Everything that is ever read from a file. */
function readAll(bytes: Uint8Array): void {
  const elf = parseElf(memorySource(bytes), 'damaged')
  const functions = readFunctions(elf)
  const unwind = readUnwindTable(elf)
  for (const found of functions) {
    expect(found.size).toBeGreaterThanOrEqual(0)
    expect(found.fileOffset + found.size).toBeLessThanOrEqual(bytes.length)
    unwind.lookup(found.address)
    if (found.isIfunc) ifuncImplementations(elf, found.address, found.size)
  }
  ifuncImplementations(elf, asVirtualAddress(elf.facts.entry), 64)
  Array.from(unwind.ranges())
  readImports(elf)
  const exports = readExports(elf)
  exports.all()
  exports.find('chosen', 'V1')
}

function endsInElfError(bytes: Uint8Array): void {
  const start = performance.now()
  try {
    readAll(bytes)
  } catch (error) {
    expect(error).toBeInstanceOf(ElfError)
  }
  expect(performance.now() - start).toBeLessThan(2000)
}

it('survives any damage to a file', () => {
  // Headers and tables at both ends of the file are where damage is interesting.
  const byte = fc.record({
    at: fc.oneof(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 0.06, noNaN: true }),
      fc.double({ min: 0.7, max: 1, noNaN: true }),
    ),
    value: fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 0x7f, 0x80, 0xff)),
  })
  const damage = fc.record({
    original: fc.integer({ min: 0, max: 2 }),
    bytes: fc.array(byte, { minLength: 1, maxLength: 40 }),
    keep: fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, fc.double({ min: 0, max: 1, noNaN: true })),
  })
  fc.assert(
    fc.property(damage, ({ original, bytes, keep }) => {
      const copy = Buffer.from(originals[original]!)
      for (const { at, value } of bytes) copy[Math.floor(at * (copy.length - 1))] = value
      endsInElfError(copy.subarray(0, Math.floor(copy.length * keep)))
    }),
    { numRuns: 1500 },
  )
})

it('survives extreme values in every field of its headers and its dynamic section', () => {
  for (const original of originals) {
    const { programHeaders } = parseElf(memorySource(original), 'original')
    const dynamic = programHeaders.find((header) => header.type === PT_DYNAMIC)!
    const fields = [
      ...range(16, 64 + 56 * programHeaders.length),
      ...range(dynamic.fileOffset, dynamic.fileOffset + dynamic.fileSize),
    ]
    for (const offset of fields) {
      for (const value of [0, 1, 0x7fffffff, 0xffffffff]) {
        const copy = Buffer.from(original)
        copy.writeUInt32LE(value, offset)
        endsInElfError(copy)
      }
    }
  }
})

function range(start: number, end: number): number[] {
  return Array.from({ length: (end - start) / 4 }, (_, index) => start + index * 4)
}
