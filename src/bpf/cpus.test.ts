import { cpus } from 'node:os'
import { expect, test } from 'vitest'
import { onlineCpus, parseCpuList, possibleCpuCount } from './cpus.ts'

test.each([
  ['0\n', [0]],
  ['0-3\n', [0, 1, 2, 3]],
  ['0-1,4,8-9\n', [0, 1, 4, 8, 9]],
  ['7,255', [7, 255]],
])('parseCpuList %j', (text, expected) => {
  expect(parseCpuList(text)).toEqual(expected)
})

test('this machine has CPUs, each with a number below that of the possible ones', () => {
  expect(onlineCpus()).toHaveLength(cpus().length)
  expect(Math.max(...onlineCpus())).toBeLessThan(possibleCpuCount())
})
