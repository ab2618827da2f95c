import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { KernelTypes } from './btf.ts'
import { readCachedKernelTypes, rememberedTypes } from './cached-kernel-types.ts'

let base: string
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'utrace-types-'))
  vi.stubEnv('XDG_CACHE_HOME', base)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(base, { recursive: true, force: true })
})

const types: KernelTypes = {
  memberOffset: (_, member) => (member === 'pid' ? 0 : undefined),
  functionId: (name) => name.length,
  structureId: () => 8,
  typedefId: () => 7,
}
const ask = (from: KernelTypes) => [
  from.memberOffset('task_struct', 'pid'),
  from.functionId('bpf_f'),
  from.typedefId('btf_trace_x'),
  from.structureId('task_struct'),
  from.memberOffset('task_struct', 'nothing'),
]

test('answers are kept, also that there is none', async () => {
  const read = vi.fn(() => types)
  expect(ask(rememberedTypes('kernel-1', read))).toEqual([0, 5, 7, 8, undefined])
  await nextTurn()
  const again = rememberedTypes('kernel-1', read)
  expect(ask(again)).toEqual([0, 5, 7, 8, undefined])
  expect(read).toHaveBeenCalledTimes(1)
  expect(again.functionId('another')).toBe(7)
  expect(read).toHaveBeenCalledTimes(2)
})

test('another kernel answers for itself', async () => {
  rememberedTypes('kernel-1', () => types).typedefId('x')
  await nextTurn()
  const others = { ...types, typedefId: () => 8 }
  expect(rememberedTypes('kernel-2', () => others).typedefId('x')).toBe(8)
})

test('what is no answer is not believed', async () => {
  rememberedTypes('kernel-1', () => types).typedefId('x')
  await nextTurn()
  const numbers = { 'bpf_f()': '12', 'typedef btf_trace_x': -1 }
  writeFileSync(join(base, 'utrace/kernel-types.json'), JSON.stringify({ origin: 'kernel-1', numbers }))
  expect(ask(rememberedTypes('kernel-1', () => types))).toEqual([0, 5, 7, 8, undefined])
})

test('this kernel has a build id, and says the same twice', async () => {
  const first = readCachedKernelTypes().memberOffset('task_struct', 'tgid')
  await nextTurn()
  expect(first).toBeGreaterThan(0)
  expect(readCachedKernelTypes().memberOffset('task_struct', 'tgid')).toBe(first)
})
