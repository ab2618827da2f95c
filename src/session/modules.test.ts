import { closeSync, openSync, readSync, renameSync, rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openWorkshop, type Workshop } from '../../test/support/build-elf.ts'
import { readSymbols } from '../../test/support/symbols.ts'
import { waits, whileWaiting } from '../../test/support/waiting-program.ts'
import { asPid, asVirtualAddress } from '../base/units.ts'
import { addressToFileOffset } from '../elf/address.ts'
import { ModuleReader, pathThrough } from './modules.ts'

let workshop: Workshop
beforeAll(() => {
  workshop = openWorkshop()
})
afterAll(() => workshop.remove())

function bytesOf(path: string, offset: number, length: number): Buffer {
  const fd = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(length)
    readSync(fd, bytes, 0, length, offset)
    return bytes
  } finally {
    closeSync(fd)
  }
}

describe('ModuleReader', () => {
  test.each([
    ['pie', ['-pie', '-fPIE']],
    ['fixed', ['-no-pie']],
    ['aligned', ['-pie', '-fPIE', '-Wl,-z,max-page-size=0x200000']],
    ['lld', ['-pie', '-fPIE', '-fuse-ld=lld']],
    ['mold', ['-pie', '-fPIE', '-fuse-ld=mold']],
    ['static', ['-static']],
    ['static-pie', ['-static-pie']],
  ])('finds the executable of a %s program where it is', async (name, flags) => {
    const file = workshop.build(name, waits, flags)
    await whileWaiting(file, ({ executable, interpreter, libraries, complete }, pid) => {
      expect(executable).toMatchObject({ name, path: file })
      expect(complete).toBe(true)
      const main = asVirtualAddress(readSymbols(file).addressOf('main')!)
      const inMemory = bytesOf(`/proc/${pid}/mem`, main + executable.loadBias, 32)
      const offset = addressToFileOffset(executable.image.facts, main)!
      expect(inMemory).toEqual(bytesOf(file, offset, 32))
      expect(executable.code.start).toBeLessThanOrEqual(main + executable.loadBias)
      expect(executable.code.end).toBeGreaterThan(main + executable.loadBias)
      const isStatic = name.startsWith('static')
      expect(interpreter?.name).toBe(isStatic ? undefined : 'ld-linux-x86-64.so.2')
      const names = libraries.map((library) => library.name)
      if (!isStatic) expect(names).toEqual(expect.arrayContaining(['libc.so.6', 'ld-linux-x86-64.so.2']))
    })
  })

  test('leads to the very file, also when another has taken its path', async () => {
    const file = workshop.build('replaced', waits)
    const original = bytesOf(file, 0, 4096)
    await whileWaiting(file, (_, pid) => {
      renameSync(workshop.build('replacement', waits, ['-O2']), file)
      const { executable } = new ModuleReader().read(pid)
      expect(bytesOf(pathThrough(pid, executable), 0, 4096)).toEqual(original)
      rmSync(file)
      expect(bytesOf(pathThrough(pid, new ModuleReader().read(pid).executable), 0, 4096)).toEqual(original)
    })
  })

  test('reads a file once for all processes that map it', async () => {
    const file = workshop.build('shared', waits)
    await whileWaiting(file, (_, first) =>
      whileWaiting(file, (__, second) => {
        const reader = new ModuleReader()
        expect(reader.read(first).executable.image).toBe(reader.read(second).executable.image)
      }),
    )
  })

  test('a process that is gone is an error', () => {
    expect(() => new ModuleReader().read(asPid(2 ** 22 + 1))).toThrow('ENOENT')
  })
})
