import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  loadElf,
  loadWithoutSections,
  openWorkshop,
  run,
  type Workshop,
} from '../../test/support/build-elf.ts'
import { addressToFileOffset } from './address.ts'
import { fileSource } from './file-source.ts'
import { readFunctions } from './functions.ts'
import { parseElf } from './image.ts'

const PROGRAM = `
#include <stdio.h>
int counter = 3;
static int helper(int x) { return x * counter; }
int twice(int x) { return helper(x) + helper(x); }
int other(int x) __attribute__((alias("twice")));
int __hidden_name(int x) __attribute__((weak, alias("twice")));
static int fast(void) { return 1; }
static void *pick(void) { return fast; }
int chosen(void) __attribute__((ifunc("pick")));
__asm__(".globl bare\\nbare: ret\\n.data\\n.globl in_data\\nin_data: .quad 0\\n.text\\n");
int main(void) { printf("%d\\n", twice(4) + other(1) + chosen()); return 0; }
`

const LAYOUTS: Record<string, readonly string[]> = {
  pie: ['-pie', '-fPIE'],
  'non-pie': ['-no-pie', '-fno-pie'],
  static: ['-static'],
  'static-pie': ['-static-pie', '-fPIE'],
  lld: ['-fuse-ld=lld', '-Wl,--rosegment'],
  mold: ['-fuse-ld=mold'],
  prelinked: ['-no-pie', '-fno-pie', '-Wl,-Ttext-segment=0x10000000'],
}

let workshop: Workshop
beforeAll(() => {
  workshop = openWorkshop()
})
afterAll(() => workshop.remove())

/** Names of the functions that `readelf` lists, by address. */
function listedFunctions(path: string): Map<number, Set<string>> {
  const found = new Map<number, Set<string>>()
  // Linkers that don't set the GNU OS/ABI in the header leave readelf at a loss for IFUNC's name.
  const row = /^ *\d+: ([0-9a-f]+) +\S+ (?:FUNC|IFUNC|<OS specific>: 10) +\S+ +\S+ +(\S+) ([^@\s]+)/
  for (const line of run('readelf', '-W', '-s', path).split('\n')) {
    const [, value, section, name] = row.exec(line) ?? []
    if (!name || section === 'UND') continue
    const address = Number.parseInt(value!, 16)
    found.set(address, (found.get(address) ?? new Set()).add(name))
  }
  return found
}

const byName = (path: string) => new Map(readFunctions(loadElf(path)).map((found) => [found.symbol, found]))

describe('readFunctions', () => {
  it.each(Object.entries(LAYOUTS))('names what readelf names: %s', (layout, flags) => {
    const path = workshop.build(layout, PROGRAM, flags)
    const elf = loadElf(path)
    const functions = readFunctions(elf)
    const typed = functions.filter((found) => !found.isLabel)
    const expected = listedFunctions(path)
    expect(typed.map((found) => found.address)).toEqual([...expected.keys()].sort((a, b) => a - b))
    for (const found of typed) {
      const names = [found.symbol, ...found.aliases].filter((name) => name !== 'bare').sort()
      expect(names).toEqual([...expected.get(found.address)!].sort())
      expect(found.fileOffset).toBe(addressToFileOffset(elf.facts, found.address))
    }
  })

  it('gives one entry per address, under its best name', () => {
    const functions = byName(workshop.build('aliases', PROGRAM))
    expect(functions.get('other')).toMatchObject({ aliases: ['__hidden_name', 'twice'], isIfunc: false })
    expect(functions.get('chosen')).toMatchObject({ isIfunc: true })
    expect(functions.has('twice')).toBe(false)
  })

  it('prefers the plain name of a static libc function', () => {
    const free = byName(
      workshop.build('static-free', '#include <stdlib.h>\nint main(void) { free(malloc(1)); }', ['-static']),
    )
    expect(free.get('free')!.aliases).toContain('__libc_free')
  })

  it('marks bare labels of code, and leaves labels of data out', () => {
    const functions = byName(workshop.build('labels', PROGRAM))
    expect(functions.get('bare')).toMatchObject({ isLabel: true })
    expect(functions.get('main')).toMatchObject({ isLabel: false })
    expect(functions.has('in_data')).toBe(false)
    expect(functions.has('counter')).toBe(false)
  })

  it('sizes functions without a size by the unwind table, else by the next symbol', () => {
    const source = `
      .text
      .globl main, described, last
      .type main, @function
      .type described, @function
      .type last, @function
      described: .cfi_startproc
        nop; nop; ret
        .cfi_endproc
        .skip 13
      main: xor %eax, %eax; ret
        .balign 32
      last: ret
      .section .note.GNU-stack,""
    `.trimStart()
    const functions = byName(workshop.build('sizes', source, ['-nostartfiles', '-Wl,-e,main']))
    expect(functions.get('described')!.size).toBe(3)
    expect(functions.get('main')!.size).toBe(functions.get('last')!.address - functions.get('main')!.address)
    expect(functions.get('last')!.size).toBe(1)
  })

  it('drops versions from names', () => {
    const names = readFunctions(loadElf('/lib/x86_64-linux-gnu/libc.so.6')).map((found) => found.symbol)
    expect(names).toContain('memcpy')
    expect(names.filter((name) => name.includes('@'))).toEqual([])
  })

  it('reads the dynamic symbols of a stripped library, with and without section headers', () => {
    const source =
      'int exported(int x) { return x; }\nstatic int hidden(int x) { return x + 1; }\nint user(int x) { return exported(hidden(x)); }'
    for (const hash of ['gnu', 'sysv']) {
      const path = workshop.build(`lib-${hash}`, source, [
        '-shared',
        '-fPIC',
        `-Wl,--hash-style=${hash}`,
        '-s',
      ])
      for (const elf of [loadElf(path), loadWithoutSections(path)]) {
        const names = readFunctions(elf).map((found) => found.symbol)
        expect(names.filter((name) => /exported|user|hidden/.test(name)).sort()).toEqual(['exported', 'user'])
      }
    }
  })

  it('reads the 100,000 symbols of node fast', () => {
    const source = fileSource(process.execPath)
    const start = performance.now()
    const functions = readFunctions(parseElf(source, process.execPath))
    const elapsedMs = performance.now() - start
    source.close()
    expect(functions.length).toBeGreaterThan(50_000)
    expect(elapsedMs).toBeLessThan(1000)
  })
})
