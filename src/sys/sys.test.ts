import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { asPid } from '../base/units.ts'
import { BpfAttributes, bpf, bpfAsync, cString } from './bpf.ts'
import { addressOf, checked, declare, isPermissionProblem, SystemCallError } from './libc.ts'
import { mapSharedMemory } from './memory.ts'
import { openWakeUp, waitReadable } from './poll.ts'
import { setOpenFilesLimit, withoutAddressRandomization } from './process.ts'

const folder = mkdtempSync(join(tmpdir(), 'utrace-sys-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('system calls', () => {
  test('a failure says which call, and why by its name', () => {
    const open = declare('int open(const char *path, int flags)')
    const failing = () => checked('open', open('/no/such/file', 0))
    expect(failing).toThrow(SystemCallError)
    expect(failing).toThrow('open: ENOENT')
    expect(checked('open', 7n)).toBe(7)
    expect(new SystemCallError('open', 99_999).code).toBe('errno 99999')
  })

  test('permission problems are told from others', () => {
    const problems = ['EPERM', 'EACCES', 'EINVAL'].map((code) =>
      isPermissionProblem(new SystemCallError('bpf', { EPERM: 1, EACCES: 13, EINVAL: 22 }[code]!)),
    )
    expect(problems).toEqual([true, true, false])
    expect(isPermissionProblem(new Error('EPERM'))).toBe(false)
  })

  test('a buffer’s address is that of its bytes', () => {
    const bytes = cString('größe')
    const strlen = declare('size_t strlen(uintptr_t text)')
    expect(Number(strlen(addressOf(bytes)))).toBe(7)
    expect(addressOf(bytes.subarray(3)) - addressOf(bytes)).toBe(3n)
  })
})

describe('bpf', () => {
  const mapCreate = () => new BpfAttributes().u32(0, 2).u32(4, 4).u32(8, 4).u32(12, 1)

  test('writes fields of attributes where they belong', () => {
    const { bytes } = new BpfAttributes(32)
      .u32(0, -1)
      .u64(8, 2n ** 63n)
      .text(16, 'a name that is too long', 16)
    expect(bytes.readUInt32LE(0)).toBe(0xffff_ffff)
    expect(bytes.readBigUInt64LE(8)).toBe(2n ** 63n)
    expect(bytes.toString('latin1', 16)).toBe('a name that is \0')
  })

  test('gives back file descriptors, and errors by their names', () => {
    closeSync(bpf('mapCreate', mapCreate()))
    expect(() => bpf('mapCreate', mapCreate().u32(12, 0))).toThrow('bpf(mapCreate): EINVAL')
  })

  test('on another thread, fails as a promise', async () => {
    await expect(bpfAsync('mapFreeze', new BpfAttributes().u32(0, 999_999))).rejects.toThrow('bpf(mapFreeze)')
  })
})

describe('mapSharedMemory', () => {
  test('is the file itself: both see what the other writes', () => {
    const path = join(folder, 'mapped')
    writeFileSync(path, Buffer.alloc(8192, 1))
    const fd = openSync(path, 'r+')
    const view = new Uint8Array(mapSharedMemory(fd, 4096, 4096, 'write'))
    closeSync(fd)
    expect(view).toHaveLength(4096)
    view[10] = 42
    expect(readFileSync(path)[4096 + 10]).toBe(42)
    writeFileSync(path, Buffer.alloc(8192, 9), { flag: 'r+' })
    expect(view[10]).toBe(9)
  })

  test('fails with the reason', () => {
    expect(() => mapSharedMemory(-1, 0, 4096, 'read')).toThrow('mmap: EBADF')
  })
})

describe('waitReadable', () => {
  test('ends when it is woken up from elsewhere', async () => {
    const silent = openWakeUp()
    expect(await waitReadable([silent.fd], 1)).toBe(false)
    const { fd, wake } = openWakeUp()
    const woken = waitReadable([silent.fd, fd], 60_000)
    wake()
    expect(await woken).toBe(true)
  })
})

describe('processes', () => {
  test('the limit of open files is set for the process that is meant, its hard limit stays', async () => {
    const limits = (pid: number | 'self') =>
      /^Max open files +(\w+) +(\w+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'latin1'))!.slice(1)
    const child = spawn('sleep', ['60'])
    const [, hard] = limits(child.pid!)
    const own = limits('self')
    setOpenFilesLimit(asPid(child.pid!), 77)
    expect(limits(child.pid!)).toEqual(['77', hard])
    expect(limits('self')).toEqual(own)
    child.kill()
    await once(child, 'exit')
    expect(() => setOpenFilesLimit(asPid(child.pid!), 77)).toThrow('prlimit: ESRCH')
  })

  test('addresses are not randomized for what is started inside, and are again after it', () => {
    const stackOf = () => {
      const maps = spawnSync('cat', ['/proc/self/maps'], { encoding: 'latin1' }).stdout
      return /^.*\[stack\]$/m.exec(maps)![0].split('-')[1]!.split(' ')[0]
    }
    const [first, second] = withoutAddressRandomization(() => [stackOf(), stackOf()])
    expect(first).toBe('7ffffffff000')
    expect(second).toBe(first)
    expect(stackOf()).not.toBe(first)
    expect(() =>
      withoutAddressRandomization(() => {
        throw new Error('inside')
      }),
    ).toThrow('inside')
    expect(stackOf()).not.toBe(first)
  })
})
