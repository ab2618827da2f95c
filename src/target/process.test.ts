import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { waitUntil } from '../../test/support/wait.ts'
import { asPid, asRuntimeAddress } from '../base/units.ts'
import { readAuxiliaryVector } from './auxiliary-vector.ts'
import { readLoaderState } from './link-map.ts'
import {
  ProcessMemory,
  processOfThread,
  processStartTicks,
  processState,
  readMappings,
  unlessGone,
  withMemory,
} from './process.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'utrace-process-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** A process that sleeps under a name of its own. */
async function withSleeper(name: string, use: (pid: ReturnType<typeof asPid>, path: string) => unknown) {
  const path = join(folder, name)
  copyFileSync('/bin/sleep', path)
  const child = spawn(path, ['60'])
  const ended = once(child, 'exit')
  try {
    const pid = asPid(child.pid!)
    await waitUntil(() => processState(pid) === 'S')
    await use(pid, path)
  } finally {
    child.kill('SIGKILL')
    await ended
  }
  expect(processState(asPid(child.pid!))).toBeUndefined()
}

describe('a process', () => {
  test('its state and start are read, whatever its name holds', async () => {
    await withSleeper('a) R 1 (b', (pid) => {
      expect(processState(pid)).toBe('S')
      const ticks = Number(processStartTicks(pid))
      expect(ticks).toBeGreaterThan(Number(processStartTicks(asPid(process.pid))))
      process.kill(pid, 'SIGSTOP')
      return waitUntil(() => processState(pid) === 'T')
    })
  })

  test('that does not exist has neither', () => {
    const none = asPid(2 ** 22 + 1)
    expect(processState(none)).toBeUndefined()
    expect(processStartTicks(none)).toBeUndefined()
    expect(processOfThread(none)).toBeUndefined()
    expect(() => readMappings(none)).toThrow('ENOENT')
    expect(() => readAuxiliaryVector(none)).toThrow('ENOENT')
  })

  test('is found by any of its threads', () => {
    for (const tid of execFileSync('ls', [`/proc/${process.pid}/task`], { encoding: 'latin1' }).split('\n')) {
      if (tid !== '') expect(processOfThread(Number(tid))).toBe(process.pid)
    }
  })

  test('its mappings lead to the very file, also when it is deleted or replaced', async () => {
    await withSleeper('sleeper with blanks', (pid, path) => {
      const before = readMappings(pid).filter((mapping) => mapping.path === path)
      const code = before.find(({ executable }) => executable)!
      expect(code.start % 4096).toBe(0)
      expect(code.end).toBeGreaterThan(code.start)
      const { ino } = statSync(path)
      expect(code.file.endsWith(`:${ino}`)).toBe(true)
      rmSync(path)
      writeFileSync(path, 'something else')
      const after = readMappings(pid).find(({ start }) => start === code.start)!
      expect(after.path).toBe(`${path} (deleted)`)
      expect(after.file).toBe(code.file)
      expect(readFileSync(after.filePath)).toEqual(readFileSync('/bin/sleep'))
    })
  })
})

describe('process memory', () => {
  test('is what the process has there, and nothing where nothing is', async () => {
    await withSleeper('memory', (pid, path) => {
      const first = readMappings(pid).find((mapping) => mapping.path === path)!
      withMemory(pid, (memory) => {
        expect(memory.read(first.start, 4)?.toString('latin1')).toBe('\x7fELF')
        expect(memory.read(first.start - 2, 4)).toBeUndefined()
        expect(memory.read(0, 1)).toBeUndefined()
        expect(memory.readPointer(0)).toBeUndefined()
        expect(memory.readString(0)).toBeUndefined()
      })
    })
  })

  /** Bytes that stand for a process's memory, from address 0. */
  function withBytes(bytes: Buffer, use: (memory: ProcessMemory) => void): void {
    const path = join(folder, 'bytes')
    writeFileSync(path, bytes)
    const fd = openSync(path, 'r')
    try {
      use(new ProcessMemory(fd))
    } finally {
      closeSync(fd)
    }
  }

  test('strings end with a zero, also on a later page, and within 4096 bytes', () => {
    const bytes = Buffer.alloc(3 * 4096, 'x')
    bytes[4096 + 300] = 0
    withBytes(bytes, (memory) => {
      expect(memory.readString(4000)).toBe('x'.repeat(396))
      expect(memory.readString(4096 + 300)).toBe('')
      expect(memory.readString(4096 + 301)).toBeUndefined()
    })
  })

  test('pointers that no address can have are none', () => {
    const bytes = Buffer.alloc(16)
    bytes.writeBigUInt64LE(0x7fff_ffff_f000n)
    bytes.writeBigUInt64LE(0xffff_ffff_ffff_f000n, 8)
    withBytes(bytes, (memory) => {
      expect(memory.readPointer(0)).toBe(0x7fff_ffff_f000)
      expect(memory.readPointer(8)).toBeUndefined()
      expect(memory.readPointer(12)).toBeUndefined()
    })
  })

  describe('the dynamic linker’s account', () => {
    interface Node {
      readonly at: number
      readonly bias: bigint
      readonly dynamic: number
      readonly next: number
    }

    /** A dynamic section at 0x100, struct r_debug at 0x200. */
    function account(nodes: readonly Node[], state = 0): Buffer {
      const bytes = Buffer.alloc(0x1000)
      const words = (at: number, ...values: (number | bigint)[]) =>
        values.forEach((value, index) => {
          bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), at + 8 * index)
        })
      words(0x100, 1, 99, 21, 0x200, 0, 0)
      words(0x200, 1, nodes[0]?.at ?? 0, 0, state)
      for (const { at, bias, dynamic, next } of nodes) words(at, bias, 0, dynamic, next)
      return bytes
    }
    const read = (bytes: Buffer, section = 0x100) => {
      let state: ReturnType<typeof readLoaderState>
      withBytes(bytes, (memory) => {
        state = readLoaderState(memory, asRuntimeAddress(section))
      })
      return state
    }

    test('lists modules in order, with biases of either sign', () => {
      const nodes = [
        { at: 0x300, bias: 0x5555_0000_0000n, dynamic: 0x10, next: 0x400 },
        { at: 0x400, bias: -0x1000n, dynamic: 0x20, next: 0 },
      ]
      expect(read(account(nodes))).toEqual({
        consistent: true,
        modules: [
          { loadBias: 0x5555_0000_0000, dynamicSection: 0x10 },
          { loadBias: -0x1000, dynamicSection: 0x20 },
        ],
      })
      expect(read(account(nodes, 1))?.consistent).toBe(false)
    })

    test('is not there before the linker has left its address', () => {
      const empty = account([])
      empty.writeBigUInt64LE(0n, 0x118)
      expect(read(empty)).toBeUndefined()
      expect(read(account([]), 0x120)).toBeUndefined()
      expect(read(account([]), 0x9000)).toBeUndefined()
    })

    test('damaged, it ends: circles, wild pointers', () => {
      const circle = [{ at: 0x300, bias: 0n, dynamic: 0, next: 0x300 }]
      expect(read(account(circle))?.modules.length).toBeLessThanOrEqual(10_000)
      const wild = [{ at: 0x300, bias: 0n, dynamic: 0, next: 0x7000_0000 }]
      expect(read(account(wild))?.modules).toHaveLength(1)
      expect(read(Buffer.alloc(0x10000, 2), 0)).toBeUndefined()
    })
  })
})

describe('the auxiliary vector', () => {
  test('tells where the dynamic linker is, and the first instruction', async () => {
    await withSleeper('auxiliary', (pid, path) => {
      const { interpreterBase, entry } = readAuxiliaryVector(pid)
      const mappings = readMappings(pid)
      expect(mappings.find(({ start }) => start === interpreterBase)?.path).toMatch(/\/ld-linux/)
      const holder = mappings.find(({ start, end }) => entry >= start && entry < end)
      expect(holder).toMatchObject({ path, executable: true })
    })
  })
})

test('what fails on a process matters only if it is still there', () => {
  const fail = () => {
    throw new Error('failed')
  }
  expect(() => unlessGone(asPid(0x7fff_fff0), fail)).not.toThrow()
  expect(() => unlessGone(asPid(process.pid), fail)).toThrow('failed')
})
