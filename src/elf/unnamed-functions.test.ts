import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadElf, loadWithoutSections, openWorkshop, type Workshop } from '../../test/support/build-elf.ts'
import { readFunctions } from './functions.ts'
import { withUnnamedFunctions } from './unnamed-functions.ts'

const SOURCE = `
#include <stdio.h>
static __attribute__((noinline)) int twice(int x) { return printf("%d", x); }
__attribute__((noinline)) int other(int x) { return twice(x) + 1; }
int main(int argc, char **argv) { return other(argc); }
`

let workshop: Workshop
beforeAll(() => {
  workshop = openWorkshop()
})
afterAll(() => workshop.remove())

const named = (path: string) => readFunctions(loadElf(path))

describe('withUnnamedFunctions', () => {
  it.each([
    ['pie', ['-O1']],
    ['not relocated', ['-O1', '-no-pie', '-fno-pie']],
    ['indirect-branch tracking', ['-O1', '-fcf-protection=full', '-Wl,-z,ibtplt']],
    ['cold parts', ['-O2', '-freorder-blocks-and-partition']],
  ])('gives the functions of a stripped program, and nothing else: %s', (name, flags) => {
    const whole = workshop.build(name.replaceAll(' ', '-'), SOURCE, flags)
    const stripped = `${whole}-stripped`
    execFileSync('strip', ['-o', stripped, whole])
    const expected = new Map(
      named(whole)
        .filter(({ symbol }) => ['twice', 'other', 'main', '_dl_relocate_static_pie'].includes(symbol))
        .map(({ address, size }) => [address, size]),
    )
    const found = withUnnamedFunctions(loadElf(stripped), named(stripped), 'prog')
    const unnamed = found.filter(({ source }) => source === 'unwind')
    expect(new Map(unnamed.map(({ address, size }) => [address, size]))).toEqual(expected)
    for (const { symbol, address } of unnamed) expect(symbol).toBe(`prog+0x${address.toString(16)}`)
    const addresses = withUnnamedFunctions(loadWithoutSections(stripped), [], 'prog').map(
      (each) => each.address,
    )
    for (const address of expected.keys()) expect(addresses).toContain(address)
  })

  it('keeps the functions that have names, in order', () => {
    const library = workshop.build('library', SOURCE, ['-shared', '-fPIC', '-O1', '-s'])
    const found = withUnnamedFunctions(loadElf(library), named(library), 'library')
    expect(
      found
        .filter(({ source }) => source === 'dynsym')
        .map(({ symbol }) => symbol)
        .sort(),
    ).toEqual(
      named(library)
        .map(({ symbol }) => symbol)
        .sort(),
    )
    expect(found.filter(({ source }) => source === 'unwind')).toHaveLength(1)
    const addresses = found.map(({ address }) => address)
    expect(addresses).toEqual([...new Set(addresses)].sort((a, b) => a - b))
  })

  it('leaves the entry point out, which is not entered by a call even where it is written in C', () => {
    const source =
      '__attribute__((noinline)) int f(int x) { return x; } void _start(void) { f(1); __builtin_trap(); }'
    const path = workshop.build('bare', source, ['-nostdlib', '-static', '-O1', '-s'])
    const elf = loadElf(path)
    const found = withUnnamedFunctions(elf, [], 'bare')
    expect(found.map(({ address }) => address)).not.toContain(elf.facts.entry)
  })
})
