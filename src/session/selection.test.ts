import { describe, expect, test } from 'vitest'
import { createSelection, type SelectionOptions } from './selection.ts'

const nothing = {
  functions: [],
  noFunctions: [],
  libs: [],
  noLibs: [],
  nestLibs: [],
  startAt: [],
  stopAt: [],
}
const select = (options: Partial<SelectionOptions>) => createSelection({ ...nothing, ...options })
const call = { name: 'lua::State::call(int)', bareName: 'lua::State::call', symbol: '_ZN3lua5State4callEi' }
const libm = { name: 'libm.so.6', path: '/usr/lib/libm-2.36.so' }

describe('functions', () => {
  test.each([['lua::State::call(int)'], ['lua::*'], ['lua::State::call'], ['_ZN3lua*'], ['nothing,*::call']])(
    '%s is one of their names',
    (pattern) => {
      expect(select({ functions: [pattern] }).wantsFunction(call)).toBe(true)
    },
  )

  test('that are excluded are not wanted, whoever wants them', () => {
    expect(select({ functions: ['*'], noFunctions: ['*::call'] }).wantsFunction(call)).toBe(false)
    expect(select({ functions: ['*'], noFunctions: ['*::Call'] }).wantsFunction(call)).toBe(true)
    expect(select({ functions: ['call'] }).wantsFunction(call)).toBe(false)
    expect(select({}).wantsFunction(call)).toBe(false)
  })

  test('without names are wanted by patterns that are about them alone', () => {
    expect(select({ functions: ['*'] }).wantsUnnamed('ls+0x1234')).toBe(false)
    expect(select({ functions: ['*'] }).anyUnnamed).toBe(false)
    expect(select({ functions: ['ls+0x*'] }).wantsUnnamed('ls+0x1234')).toBe(true)
    expect(select({ functions: ['*+0x12*'], noFunctions: ['*34'] }).wantsUnnamed('ls+0x1234')).toBe(false)
  })
})

describe('libraries', () => {
  test.each(['libm.so.6', 'libm.so*', '/usr/lib/*', 'libm-2.36.so', 'libc.so.6,libm*'])('%s', (pattern) => {
    expect(select({ libs: [pattern] }).wantsCallsInto(libm)).toBe(true)
    expect(select({ libs: [pattern] }).wantsInsideOf(libm)).toBe(false)
    expect(select({ nestLibs: [pattern] }).wantsInsideOf(libm)).toBe(true)
    expect(select({ libs: ['*'], nestLibs: ['*'], noLibs: [pattern] }).wantsCallsInto(libm)).toBe(false)
    expect(select({ libs: ['*'], nestLibs: ['*'], noLibs: [pattern] }).wantsInsideOf(libm)).toBe(false)
  })

  test('are looked for only if some can matter', () => {
    expect(select({ functions: ['*'] })).toMatchObject({ anyLibraries: false, anyNesting: false })
    expect(select({ libs: ['*'] })).toMatchObject({ anyLibraries: true, anyNesting: false })
    expect(select({ nestLibs: ['libm*'] })).toMatchObject({ anyLibraries: true, anyNesting: true })
  })
})
