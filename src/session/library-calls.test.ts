import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openWorkshop, type Workshop } from '../../test/support/build-elf.ts'
import { whileWaiting } from '../../test/support/waiting-program.ts'
import { readExports } from '../elf/exports.ts'
import { findLibraryCalls } from './library-calls.ts'
import type { ProcessModules } from './modules.ts'

let workshop: Workshop
beforeAll(() => {
  workshop = openWorkshop()
})
afterAll(() => workshop.remove())

describe('findLibraryCalls', () => {
  /** Library by library, what the program calls. */
  const calls = (modules: ProcessModules) =>
    Object.fromEntries(
      findLibraryCalls(modules).map(({ library, functions }) => [
        library.name,
        functions.map(({ symbol }) => symbol).sort(),
      ]),
    )

  let program: string
  beforeAll(() => {
    const { folder } = workshop
    const library = (name: string, source: string) =>
      workshop.build(name, source, ['-shared', '-fPIC', `-Wl,-soname,${name}`])
    library('libfirst.so', 'int common(void) { return 1; } int only_first(void) { return 1; }')
    library('libsecond.so', 'int common(void) { return 2; } int only_second(void) { return 2; }')
    library(
      'libpreloaded.so',
      'int common(void) { return 3; } int pause(void); int getc(void *file) { for (;;) pause(); }',
    )
    const source = `
      #include <stdio.h>
      #include <string.h>
      int common(void), only_first(void), only_second(void);
      int (*volatile pointer)(void) = only_second;
      char text[100];
      int main(int argc, char **argv) {
        puts("runs");
        fflush(stdout);
        memcpy(text, argv[0], argc + 1);
        getc(stdin);
        return common() + only_first() + pointer() + text[0];
      }
    `
    program = workshop.build('calls', source, [
      '-O1',
      `-L${folder}`,
      '-l:libfirst.so',
      '-l:libsecond.so',
      `-Wl,-rpath,${folder}`,
    ])
  })

  test('each call belongs to the first library that has the function', async () => {
    await whileWaiting(program, (modules) => {
      const found = calls(modules)
      expect(found['libfirst.so']).toEqual(['common', 'only_first'])
      expect(found['libsecond.so']).toEqual(['only_second'])
      expect(found['libc.so.6']).toEqual(expect.arrayContaining(['getc', 'puts', 'fflush']))
    })
  })

  test('what is preloaded comes before what is linked', async () => {
    const environment = { LD_PRELOAD: join(workshop.folder, 'libpreloaded.so') }
    await whileWaiting(
      program,
      (modules) => {
        const found = calls(modules)
        expect(found['libpreloaded.so']).toEqual(['common', 'getc'])
        expect(found['libfirst.so']).toEqual(['only_first'])
        expect(found['libc.so.6']).not.toContain('getc')
      },
      environment,
    )
  })

  test('what the compiler’s start-up files call is not the program’s', async () => {
    await whileWaiting(program, (modules) => {
      const all = Object.values(calls(modules)).flat()
      expect(all.filter((name) => /^(__libc_start|__cxa_|__gmon|_ITM)/.test(name))).toEqual([])
    })
  })

  test('an IFUNC stands for its implementations, none of which is its resolver', async () => {
    await whileWaiting(program, (modules) => {
      const libc = findLibraryCalls(modules).find(({ library }) => library.name === 'libc.so.6')!
      const { addresses } = libc.functions.find(({ symbol }) => symbol === 'memcpy')!
      expect(addresses.length).toBeGreaterThan(1)
      const resolver = readExports(libc.library.image).find('memcpy')!
      expect(addresses).not.toContain(resolver.address)
    })
  })
})
