import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadElf, openWorkshop, type Workshop } from '../../test/support/build-elf.ts'
import { readFunctions } from './functions.ts'
import { findSeparateSymbols } from './separate-symbols.ts'

const SOURCE = `
int counter = 3;
static __attribute__((noinline)) int hidden(int x) { return x * counter; }
__attribute__((noinline)) int visible(int x) { return hidden(x) + 1; }
int main(int argc, char **argv) { return visible(argc); }
`

let workshop: Workshop
let root: string
beforeAll(() => {
  workshop = openWorkshop()
  root = join(workshop.folder, 'root')
})
afterAll(() => workshop.remove())

interface Split {
  readonly whole: string
  readonly stripped: string
  readonly debug: string
}

/** A program, its debug file, and what is left of it, as distributions split them. */
function split(name: string, flags: readonly string[], link = true): Split {
  const whole = workshop.build(name, SOURCE, ['-O1', '-g', ...flags])
  const folder = join(root, name)
  mkdirSync(folder, { recursive: true })
  const debug = join(folder, `${name}.debug`)
  const stripped = join(folder, name)
  execFileSync('objcopy', ['--only-keep-debug', whole, debug])
  const linked = link ? [`--add-gnu-debuglink=${debug}`] : []
  execFileSync('objcopy', ['--strip-all', ...linked, whole, stripped])
  return { whole, stripped, debug }
}

/** The functions of a stripped file as a process under `root` sees it. */
function functionsOf(path: string, underRoot = root) {
  const elf = { ...loadElf(path), path: path.slice(root.length) }
  return readFunctions(elf, findSeparateSymbols(elf, underRoot))
}

const described = (functions: ReturnType<typeof readFunctions>) =>
  functions.map(({ symbol, address, size, fileOffset }) => ({ symbol, address, size, fileOffset }))

function move(from: string, ...to: string[]): string {
  const target = join(...to)
  mkdirSync(dirname(target), { recursive: true })
  renameSync(from, target)
  return target
}

const noBuildId = '-Wl,--build-id=none'

describe('findSeparateSymbols', () => {
  it('finds a debug file by build id, and its functions are those of the whole program', () => {
    const { whole, stripped, debug } = split('by-id', [], false)
    const id = loadElf(stripped).facts.buildId!
    move(debug, root, 'usr/lib/debug/.build-id', id.slice(0, 2), `${id.slice(2)}.debug`)
    const found = functionsOf(stripped)
    expect(described(found)).toEqual(described(readFunctions(loadElf(whole))))
    expect(found.find(({ symbol }) => symbol === 'hidden')).toMatchObject({
      source: 'separate',
      isLabel: false,
    })
    expect(functionsOf(stripped, '/nowhere').map(({ symbol }) => symbol)).not.toContain('hidden')
  })

  it.each([
    ['beside the program', (path: string) => join(root, path)],
    ['in .debug', (path: string) => join(root, dirname(path), '.debug', basename(path))],
    ['in /usr/lib/debug', (path: string) => join(root, 'usr/lib/debug', path)],
  ])('finds a debug file by its link: %s', (_name, place) => {
    for (const flags of [[], [noBuildId]]) {
      const { whole, stripped, debug } = split(`linked-${flags.length}`, flags)
      const moved = move(debug, place(debug.slice(root.length)))
      expect(described(functionsOf(stripped))).toEqual(described(readFunctions(loadElf(whole))))
      rmSync(moved)
      expect(functionsOf(stripped).map(({ symbol }) => symbol)).not.toContain('hidden')
    }
  })

  it('refuses a debug file of another build', () => {
    const wrongId = split('wrong-id', [])
    copyFileSync(split('wrong-id-2', ['-O2']).debug, wrongId.debug)
    expect(functionsOf(wrongId.stripped).map(({ symbol }) => symbol)).not.toContain('hidden')
    const wrongSum = split('wrong-sum', [noBuildId])
    writeFileSync(wrongSum.debug, '\0', { flag: 'a' })
    expect(functionsOf(wrongSum.stripped).map(({ symbol }) => symbol)).not.toContain('hidden')
  })

  it('does not follow a link into another folder, to itself, or to what is no ELF file', () => {
    const { whole, stripped, debug } = split('hostile', [noBuildId])
    const link = join(workshop.folder, 'link')
    for (const name of ['../root/hostile/hostile.debug', '..', '', 'hostile']) {
      writeFileSync(link, Buffer.concat([Buffer.from(name), Buffer.alloc(8 - (name.length % 4))]))
      execFileSync('objcopy', [
        '--strip-all',
        `--update-section=.gnu_debuglink=${link}`,
        stripped,
        `${stripped}.2`,
      ])
      expect(
        findSeparateSymbols({ ...loadElf(`${stripped}.2`), path: '/hostile/hostile' }, root),
      ).toBeUndefined()
    }
    for (const bytes of [
      Buffer.from('#!/bin/sh\n'),
      Buffer.alloc(0),
      readFileSync(whole).subarray(0, 1000),
    ]) {
      writeFileSync(debug, bytes)
      execFileSync('objcopy', ['--strip-all', `--add-gnu-debuglink=${debug}`, whole, stripped])
      expect(
        findSeparateSymbols({ ...loadElf(stripped), path: stripped.slice(root.length) }, root),
      ).toBeUndefined()
    }
  })

  it('reads .gnu_debugdata, and takes a damaged or huge one as absent', () => {
    const { whole, debug } = split('mini', [noBuildId], false)
    const folder = dirname(debug)
    const mini = join(folder, 'mini-image')
    // As Fedora's find-debuginfo makes it.
    execFileSync('objcopy', [
      '-S',
      '--remove-section=.comment',
      '--keep-symbol=hidden',
      '--keep-symbol=main',
      debug,
      mini,
    ])
    const withData = (name: string, data: string) => {
      const path = join(folder, name)
      execFileSync('objcopy', ['--strip-all', `--add-section=.gnu_debugdata=${data}`, whole, path])
      return functionsOf(path).map(({ symbol, source }) => [symbol, source])
    }
    execFileSync('xz', ['-k', mini])
    const names = withData('intact', `${mini}.xz`)
    expect(names).toContainEqual(['hidden', 'separate'])
    expect(names).toContainEqual(['main', 'separate'])
    const damaged = readFileSync(`${mini}.xz`)
    damaged.fill(0, 100, 140)
    writeFileSync(join(folder, 'damaged.xz'), damaged)
    const bomb = execFileSync('xz', ['-0', '-c'], { input: Buffer.alloc((1 << 26) + 1) })
    writeFileSync(join(folder, 'bomb.xz'), bomb)
    for (const data of ['damaged.xz', 'bomb.xz', 'mini-image']) {
      expect(withData(`with-${data}`, join(folder, data)).flat()).not.toContain('hidden')
    }
  })

  it('names the internal functions of glibc where its debug symbols are installed', () => {
    const path = '/lib/x86_64-linux-gnu/libc.so.6'
    const elf = loadElf(path)
    const names = new Set(readFunctions(elf, findSeparateSymbols(elf, '')).map(({ symbol }) => symbol))
    expect(names.has('_int_malloc')).toBe(true)
    expect(names.has('malloc')).toBe(true)
    expect(readFunctions(elf).some(({ symbol }) => symbol === '_int_malloc')).toBe(false)
  })
})
