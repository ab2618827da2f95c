import { readFileSync } from 'node:fs'
import koffi from 'koffi'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadElf, openWorkshop, type Workshop } from '../../test/support/build-elf.ts'
import { readExports } from './exports.ts'
import { readFunctions } from './functions.ts'
import { ifuncImplementations } from './ifunc.ts'

const LIBC = '/lib/x86_64-linux-gnu/libc.so.6'

let workshop: Workshop
beforeAll(() => {
  workshop = openWorkshop()
})
afterAll(() => workshop.remove())

/** What the dynamic linker chose on this machine, as an address of the file. */
function chosenImplementation(symbol: string): number {
  const dlsym = koffi.load('libc.so.6').func('uintptr_t dlsym(void *handle, const char *symbol)')
  const mapping = readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .find((line) => line.endsWith('/libc.so.6') && line.split(/\s+/)[2] === '00000000')!
  return Number(dlsym(null, symbol)) - Number.parseInt(mapping, 16)
}

describe('ifuncImplementations', () => {
  it.each(['memcpy', 'memset', 'strlen', 'strchr'])('has what the dynamic linker chose for %s', (symbol) => {
    const libc = loadElf(LIBC)
    const resolver = readExports(libc).find(symbol)!
    expect(resolver.isIfunc).toBe(true)
    const implementations = ifuncImplementations(libc, resolver.address, resolver.size)
    expect(implementations).toContain(chosenImplementation(symbol))
    expect(implementations.length).toBeLessThan(32)
  })

  it('finds no implementation of time in libc beyond its fallback: the vDSO has it', () => {
    const libc = loadElf(LIBC)
    const resolver = readExports(libc).find('time')!
    expect(ifuncImplementations(libc, resolver.address, resolver.size).length).toBeLessThanOrEqual(1)
  })

  it.each([
    ['pie', ['-fPIE', '-pie']],
    ['non-pie', ['-fno-pie', '-no-pie']],
    ['pic-lld', ['-fPIC', '-fuse-ld=lld']],
    ['relr', ['-fPIE', '-pie', '-Wl,-z,pack-relative-relocs']],
  ])('finds every candidate of a resolver: %s', (name, flags) => {
    const source = `
      int zero(void) { return 0; }
      static int one(void) { return 1; }
      int two(void) { return 2; }
      static int (*const table)(void) = one;
      volatile int level;
      static void *elsewhere(void) { return (void *)two; }
      static void *resolve(void) {
        if (level == 1) return (void *)*(int (*const volatile *)(void))&table;
        if (level == 2) return elsewhere();
        return (void *)zero;
      }
      int chosen(void) __attribute__((ifunc("resolve")));
      int main(void) { return chosen(); }
    `
    const elf = loadElf(workshop.build(name, source, ['-O2', ...flags]))
    const functions = readFunctions(elf)
    const address = (symbol: string) => functions.find((found) => found.symbol === symbol)!.address
    const resolver = functions.find((found) => found.isIfunc)!
    const names = ['zero', 'one', 'two'].map(address).sort((a, b) => a - b)
    expect(ifuncImplementations(elf, resolver.address, resolver.size)).toEqual(names)
  })
})
