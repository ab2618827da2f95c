import { describe, expect, test } from 'vitest'
import { asPid } from '../base/units.ts'
import { isShellJob, readCircumstances, statusTells } from './circumstances.ts'

describe('statusTells', () => {
  test.each([
    ['Seccomp:\t0\nSeccomp_filters:\t0\n', { isFiltered: false, hasShadowStack: false }],
    ['Name:\tx\nSeccomp:\t2\nSeccomp_filters:\t1\n', { isFiltered: true, hasShadowStack: false }],
    ['Seccomp:\t1\n', { isFiltered: true, hasShadowStack: false }],
    ['SigCgt:\t0000000000010000\n', { watchesChildren: true }],
    ['SigCgt:\t00000001fffeffff\n', { watchesChildren: false }],
    ['x86_Thread_features:\tshstk wrss \n', { isFiltered: false, hasShadowStack: true }],
    [
      'x86_Thread_features:\t\nx86_Thread_features_locked:\tshstk\n',
      { isFiltered: false, hasShadowStack: false },
    ],
  ])('%j', (status, expected) => {
    expect(statusTells(status)).toMatchObject(expected)
  })
})

describe('isShellJob', () => {
  const shell = { parent: 1, group: 100, session: 100, terminal: 0x8801 }
  const job = { parent: 100, group: 120, session: 100, terminal: 0x8801 }
  test.each([
    ['a job in a group of its own', job, shell, true],
    ['started by a script: in the group of its parent', { ...job, group: 100 }, shell, false],
    ['a service, without a terminal', { ...job, terminal: 0 }, shell, false],
    ['in a session of its own', { ...job, session: 120 }, shell, false],
    ['an orphan', { ...job, parent: 1 }, { ...shell, group: 1, session: 1 }, false],
  ])('%s', (_name, own, parent, expected) => {
    expect(isShellJob(own, () => parent)).toBe(expected)
  })
})

test('of this process', () => {
  expect(readCircumstances(asPid(process.pid))).toMatchObject({ hasShadowStack: false })
})
