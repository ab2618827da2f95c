import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadElf, loadWithoutSections, openWorkshop, type Workshop } from '../../test/support/build-elf.ts'
import { readExports } from './exports.ts'
import { readFunctions } from './functions.ts'

let workshop: Workshop
let library: string
beforeAll(() => {
  workshop = openWorkshop()
  const script = join(workshop.folder, 'versions')
  writeFileSync(
    script,
    'V1 { global: size; old; plain; }; V2 { global: size; fresh; } V1; V3 { global: size; } V2;',
  )
  const source = `
    __asm__(".symver size_1, size@V1\\n.symver size_2, size@V2\\n.symver size_3, size@@V3\\n.symver old_1, old@V1");
    int size_1(void) { return 1; }
    int size_2(void) { return 2; }
    int size_3(void) { return 3; }
    int old_1(void) { return 4; }
    int fresh(void) { return 5; }
    int plain(void) { return 6; }
    int value = 7;
    static int private(void) { return 8; }
    int user(void) { return private(); }
  `
  library = workshop.build('versions.so', source, ['-shared', '-fPIC', `-Wl,--version-script=${script}`])
})
afterAll(() => workshop.remove())

describe('readExports', () => {
  it('chooses the version as the dynamic linker does', () => {
    for (const elf of [loadElf(library), loadWithoutSections(library)]) {
      const exports = readExports(elf)
      const addressOf = new Map(
        readFunctions(loadElf(library)).flatMap((found) =>
          [found.symbol, ...found.aliases].map((name) => [name, found.address] as const),
        ),
      )
      expect(exports.find('size', 'V1')).toMatchObject({
        address: addressOf.get('size_1'),
        isDefaultVersion: false,
      })
      expect(exports.find('size', 'V2')).toMatchObject({ address: addressOf.get('size_2'), version: 'V2' })
      expect(exports.find('size')).toMatchObject({ address: addressOf.get('size_3'), isDefaultVersion: true })
      expect(exports.find('size', 'V9')).toBeUndefined()
      expect(exports.find('fresh', 'V2')).toMatchObject({ isDefaultVersion: true, isIfunc: false })
      expect(exports.find('old')).toMatchObject({ address: addressOf.get('old_1'), version: 'V1' })
      expect(exports.find('value')).toBeUndefined()
      expect(exports.find('private')).toBeUndefined()
      expect(exports.all().filter((found) => found.symbol === 'size')).toHaveLength(3)
    }
  })

  it('takes an unversioned definition for any version asked for', () => {
    const path = workshop.build('plain.so', 'int f(void) { return 1; }', ['-shared', '-fPIC'])
    expect(readExports(loadElf(path)).find('f', 'V1')).toMatchObject({ version: undefined })
  })

  it('knows the two memcpy of glibc', () => {
    const exports = readExports(loadElf('/lib/x86_64-linux-gnu/libc.so.6'))
    expect(exports.find('memcpy')).toMatchObject({ version: 'GLIBC_2.14', isIfunc: true })
    expect(exports.find('memcpy', 'GLIBC_2.2.5')).toMatchObject({ isDefaultVersion: false })
    expect(exports.find('no_such_function')).toBeUndefined()
  })

  it.each(['libc.so.6', 'libstdc++.so.6'])(
    'finds in %s by its hash table what a look at every symbol finds',
    (name) => {
      const path = execFileSync('gcc', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim()
      const exports = readExports(loadElf(path))
      const all = exports.all()
      expect(all.length).toBeGreaterThan(2000)
      const found = all.map(({ symbol, version }) => exports.find(symbol, version))
      expect(found).toEqual(all)
      expect(exports.find('there is no such function')).toBeUndefined()
    },
  )
})
