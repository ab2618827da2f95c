import { describe, expect, test } from 'vitest'
import { compileGlobs, matchesName } from './glob.ts'

describe('compileGlobs', () => {
  test.each([
    [['*'], 'anything at all', true],
    [[], 'main', false],
    [[''], 'main', false],
    [['main'], 'main', true],
    [['main,f*'], 'first', true],
    [['main', 'f*'], 'first', true],
    [['main', 'f*'], 'second', false],
    [['f(int, int)'], 'f(int, int)', true],
    [['f(int, int)'], 'f(int', false],
    [['lib[cm].so*,libpthread*'], 'libm.so.6', true],
  ])('%j on %s: %s', (lists, name, expected) => {
    expect(compileGlobs(lists).matches(name)).toBe(expected)
  })

  test('tells its patterns', () => {
    expect([...compileGlobs(['a,b', 'c', 'a']).patterns]).toEqual(['a', 'b', 'c'])
  })
})

describe('matchesName', () => {
  const call = {
    name: 'lua::State::call(int, int)',
    bareName: 'lua::State::call',
    symbol: '_ZN3lua5State4callEii',
  }
  test.each([
    ['lua::State::call', true],
    ['lua::State::call(int, int)', true],
    ['lua::State::call(int)', false],
    ['_ZN3lua*', true],
    ['lua::*', true],
    ['*::call', true],
    ['*(int, int)', true],
    ['call', false],
  ])('%s: %s', (pattern, expected) => {
    expect(matchesName(compileGlobs([pattern]), call)).toBe(expected)
  })

  test.each([
    'name[abi:cxx11]()',
    'V::operator[](unsigned long)',
    'operator*(M const&, M const&)',
    'f(char [16])',
  ])('a name copied from a trace selects itself: %s', (name) => {
    const names = { name, bareName: name.replace(/\(.*/, ''), symbol: '_Z1x' }
    expect(matchesName(compileGlobs([name]), names)).toBe(true)
  })
})
