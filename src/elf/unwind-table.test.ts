import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  loadElf,
  loadWithoutSections,
  openWorkshop,
  run,
  type Workshop,
} from '../../test/support/build-elf.ts'
import { asVirtualAddress } from '../base/units.ts'
import { readFunctions } from './functions.ts'
import { readUnwindTable } from './unwind-table.ts'

let workshop: Workshop
beforeAll(() => {
  workshop = openWorkshop()
})
afterAll(() => workshop.remove())

const PROGRAM = `
#include <stdexcept>
#include <cstdio>
struct Guard { ~Guard() { std::puts("bye"); } };
[[gnu::noinline]] int check(int x) {
  Guard guard;
  if (x > 3) throw std::runtime_error("too much");
  return x;
}
int main(int argc, char **) { try { return check(argc); } catch (...) { return 1; } }
`

/** Ranges that readelf decodes, with the state of their first row. */
function decodedRanges(path: string): { address: number; size: number; firstRow: string }[] {
  const text = run('readelf', '-W', '--debug-dump=frames-interp', path)
  const block = /^\S+ \S+ \S+ FDE cie=\S+ pc=([0-9a-f]+)\.\.([0-9a-f]+)\n(?: +LOC.*\n)?(.*)/gm
  return [...text.matchAll(block)]
    .map(([, from, to, firstRow]) => ({
      address: Number.parseInt(from!, 16),
      size: Number.parseInt(to!, 16) - Number.parseInt(from!, 16),
      firstRow: firstRow!,
    }))
    .sort((a, b) => a.address - b.address)
}

describe('readUnwindTable', () => {
  it.each([
    ['gcc', ['-O2'], 'g++'],
    ['clang', ['-O2'], 'clang++'],
    ['lld', ['-O2', '-fuse-ld=lld'], 'g++'],
    ['mold', ['-O2', '-fuse-ld=mold'], 'g++'],
    ['static', ['-O2', '-static'], 'g++'],
    ['no-header', ['-O2', '-Wl,--no-eh-frame-hdr'], 'g++'],
  ])('gives the ranges that readelf decodes: %s', (name, flags, driver) => {
    const path = workshop.build(name, PROGRAM, flags, driver)
    const ranges = [...readUnwindTable(loadElf(path)).ranges()]
    const decoded = decodedRanges(path)
    expect(ranges.length).toBeGreaterThan(2)
    expect(ranges.map(({ address, size }) => ({ address, size }))).toEqual(
      decoded.map(({ address, size }) => ({ address, size })),
    )
    // Without PT_GNU_EH_FRAME, which gcc leaves out of static programs, only the section leads to the table.
    if (name === 'no-header' || name === 'static') return
    expect([...readUnwindTable(loadWithoutSections(path)).ranges()]).toEqual(ranges)
  })

  it('agrees with readelf on where the return address is, for all of libc', () => {
    const path = '/lib/x86_64-linux-gnu/libc.so.6'
    const table = readUnwindTable(loadElf(path))
    let onTop = 0
    for (const { address, firstRow } of decodedRanges(path)) {
      const range = table.lookup(asVirtualAddress(address))
      // "LOC CFA [registers…] ra": the row of the first instruction, when it says anything at all.
      if (range?.address !== address || !/^[0-9a-f]{16}/.test(firstRow)) continue
      expect(range.returnAddressOnTop, firstRow).toBe(/^\S+ rsp\+8 .*\bc-8\s*$/.test(firstRow))
      if (range.returnAddressOnTop) onTop++
    }
    expect(onTop).toBeGreaterThan(1000)
  })

  it('says that _start and signal trampolines have no return address on top', () => {
    const source = `
      .globl main, trampoline, cold
      .type trampoline, @function
      .type cold, @function
      .type main, @function
      trampoline: .cfi_startproc
        .cfi_signal_frame
        nop; ret
        .cfi_endproc
      cold: .cfi_startproc
        .cfi_def_cfa_offset 32
        nop; ret
        .cfi_endproc
      main: .cfi_startproc
        xor %eax, %eax; ret
        .cfi_endproc
      .section .note.GNU-stack,""
    `
    const elf = loadElf(workshop.build('special', `.text\n${source}`))
    const table = readUnwindTable(elf)
    const found = (symbol: string) =>
      table.lookup(readFunctions(elf).find((candidate) => candidate.symbol === symbol)!.address)
    expect(found('_start')?.returnAddressOnTop).toBe(false)
    expect(found('trampoline')?.returnAddressOnTop).toBe(false)
    expect(found('cold')?.returnAddressOnTop).toBe(false)
    expect(found('main')).toMatchObject({ returnAddressOnTop: true, size: 3 })
  })

  it('finds nothing between ranges, beyond them, or without a table', () => {
    const table = readUnwindTable(loadElf('/lib/x86_64-linux-gnu/libc.so.6'))
    const last = [...table.ranges()].at(-1)!
    expect(table.lookup(asVirtualAddress(0))).toBeUndefined()
    expect(table.lookup(asVirtualAddress(last.address + last.size - 1))).toEqual(last)
    expect(table.lookup(asVirtualAddress(last.address + last.size))).toBeUndefined()
    const bare = workshop.build('bare', '.globl main\n main: ret\n .section .note.GNU-stack,""\n', [
      '-nostdlib',
      '-static',
      '-Wl,-e,main',
    ])
    const empty = readUnwindTable(loadElf(bare))
    expect([empty.isEmpty, [...empty.ranges()], empty.lookup(asVirtualAddress(0x401000))]).toEqual([
      true,
      [],
      undefined,
    ])
  })
})
