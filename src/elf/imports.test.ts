import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  loadElf,
  loadWithoutSections,
  openWorkshop,
  run,
  type Workshop,
} from '../../test/support/build-elf.ts'
import { readImports } from './imports.ts'

const PROGRAM = `
#include <math.h>
#include <stdio.h>
#include <string.h>
extern int not_there(void) __attribute__((weak));
double (*in_data)(double) = cbrt;
int main(int argc, char **argv) {
  char copy[64];
  memcpy(copy, argv[0], argc);
  fputs(copy, stdout);
  return not_there ? not_there() : (int)in_data(argc);
}
`

let workshop: Workshop
beforeAll(() => {
  workshop = openWorkshop()
})
afterAll(() => workshop.remove())

describe('readImports', () => {
  it.each([
    ['lazy', ['-Wl,-z,lazy']],
    ['now', ['-Wl,-z,now']],
    ['no-plt', ['-Wl,-z,now', '-fno-plt']],
    ['non-pie', ['-no-pie', '-fno-pie']],
    ['lld', ['-fuse-ld=lld']],
    ['mold', ['-fuse-ld=mold']],
    ['stripped', ['-s']],
  ])('finds the functions that a program calls: %s', (name, flags) => {
    const path = workshop.build(name, PROGRAM, ['-O1', '-fno-builtin', ...flags, '-lm'])
    for (const elf of [loadElf(path), loadWithoutSections(path)]) {
      const imports = new Map(readImports(elf).map((found) => [found.symbol, found]))
      expect(imports.get('memcpy')).toEqual({
        symbol: 'memcpy',
        version: 'GLIBC_2.14',
        weak: false,
        dataOnly: false,
      })
      expect(imports.get('fputs')).toMatchObject({ version: 'GLIBC_2.2.5', weak: false })
      // These two settle at link time that a weak symbol nobody defines is null.
      if (name !== 'non-pie' && name !== 'mold') {
        expect(imports.get('not_there')).toMatchObject({ version: undefined, weak: true })
      }
      expect(imports.get('cbrt')).toMatchObject({ version: 'GLIBC_2.2.5', dataOnly: true })
      expect(imports.has('stdout')).toBe(false)
    }
  })

  it('finds what readelf finds in a large library', () => {
    const path = '/usr/lib/x86_64-linux-gnu/libstdc++.so.6'
    const row =
      /^[0-9a-f]+ +[0-9a-f]+ R_X86_64_(?:64|GLOB_DAT|JUMP_SLOT) +0000000000000000 (\S+?)(?:@(\S+))? \+ /gm
    const expected = new Set(
      [...run('readelf', '-W', '-r', path).matchAll(row)].map(
        ([, name, version]) => `${name}@${version ?? ''}`,
      ),
    )
    const found = readImports(loadElf(path)).map(({ symbol, version }) => `${symbol}@${version ?? ''}`)
    expect(found.length).toBeGreaterThan(100)
    expect(found.filter((name) => !expected.has(name))).toEqual([])
    const data = [...expected].filter((name) => !found.includes(name))
    expect(
      data.filter((name) => !/^(std(in|out|err)|environ|__environ|__libc_single_threaded)@/.test(name)),
    ).toEqual([])
  })

  it('finds nothing in a static program', () => {
    expect(
      readImports(loadElf(workshop.build('static', 'int main(void) { return 0; }', ['-static']))),
    ).toEqual([])
  })
})
