import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { readCached, readCachedBytes, writeCached, writeCachedBytes } from './disk-cache.ts'

let base: string
let folder: string
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'utrace-cache-'))
  folder = join(base, 'utrace')
  vi.stubEnv('XDG_CACHE_HOME', base)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(base, { recursive: true, force: true })
})

test('what was kept comes back, in a file of our own', () => {
  writeCached('fact', { a: [1, 2] })
  writeCached('fact', { a: [3] })
  expect(readCached('fact')).toEqual({ a: [3] })
  expect(readdirSync(folder)).toEqual(['fact.json'])
  expect([statSync(folder).mode & 0o777, statSync(join(folder, 'fact.json')).mode & 0o777]).toEqual([
    0o700, 0o600,
  ])
})

test('bytes come back unless one of them has changed', () => {
  const value = Uint8Array.from({ length: 100 }, (_, index) => index)
  writeCachedBytes('bytes', value)
  expect(new Uint8Array(readCachedBytes('bytes')!)).toEqual(value)
  const path = join(folder, 'bytes.bin')
  const whole = readFileSync(path)
  for (const at of [0, 5, whole.length - 1]) {
    const changed = Buffer.from(whole)
    changed[at]! ^= 1
    writeFileSync(path, changed, { mode: 0o600 })
    expect(readCachedBytes('bytes')).toBe(undefined)
  }
  for (const size of [0, 3, 4, 50]) {
    writeFileSync(path, whole.subarray(0, size), { mode: 0o600 })
    expect(readCachedBytes('bytes')).toBe(undefined)
  }
})

test('nothing is read that others could have written, or that is not whole', () => {
  expect(readCached('fact')).toBe(undefined)
  writeCached('fact', 1)
  chmodSync(join(folder, 'fact.json'), 0o620)
  expect(readCached('fact')).toBe(undefined)
  writeFileSync(join(folder, 'damaged.json'), '{"a":', { mode: 0o600 })
  expect(readCached('damaged')).toBe(undefined)
  writeCached('real', 1)
  symlinkSync(join(folder, 'real.json'), join(folder, 'link.json'))
  expect([readCached('real'), readCached('link')]).toEqual([1, undefined])
  chmodSync(folder, 0o777)
  expect(readCached('real')).toBe(undefined)
})

test('a name is no path, and a folder that cannot be used is as none', () => {
  writeCached('../fact', 1)
  expect(readdirSync(base)).toEqual(['utrace'])
  chmodSync(base, 0o777)
  writeCached('fact', 1)
  expect(readCached('fact')).toBe(undefined)
  vi.stubEnv('XDG_CACHE_HOME', '/nonexistent/cache')
  writeCached('fact', 1)
  expect(readCached('fact')).toBe(undefined)
})
