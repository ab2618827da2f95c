import { describe, expect, test } from 'vitest'
import { carriesArguments, functionNames, perFunction } from './function-text.ts'

const traced = (name: string, id = 0) =>
  ({ id, name, symbol: name, module: 'libfoo.so.1', kind: 'function' }) as const

describe('carriesArguments', () => {
  test.each([
    ['main', false],
    ['ns::f(int)', true],
    ['A::get() const', true],
    ['A::take() const &&', true],
    ['f(int) [clone .constprop.0]', true],
    ['f[abi:cxx11](int)', true],
    ['A::operator()(int) const', true],
    ['A::operator()', false],
    ['operator()', false],
    ['my_operator()', true],
    ['main::{lambda(int)#1}::operator()(int) const', true],
    ['void (*pick<int>(int))(int)', true],
    ['A::operator bool() const', true],
    ['core::ops::FnOnce<()>::call_once', false],
    ['virtual thunk to A::f()', true],
  ])('%s: %s', (name, expected) => {
    expect(carriesArguments(name)).toBe(expected)
  })
})

test('a name and its call', () => {
  expect(functionNames(traced('f'), false)).toEqual({ name: 'f', call: 'f()' })
  expect(functionNames(traced('f'), true)).toEqual({ name: 'f@libfoo.so.1', call: 'f@libfoo.so.1()' })
  expect(functionNames(traced('ns::f(int)'), true)).toEqual({
    name: 'ns::f(int)@libfoo.so.1',
    call: 'ns::f(int)@libfoo.so.1',
  })
  expect(functionNames(traced('a\x1b[2Jb'), false).call).toBe('a\\x1b[2Jb()')
})

test('text is made once per function', () => {
  let made = 0
  const text = perFunction((fn) => `${fn.name} ${++made}`)
  expect([text(traced('a', 7)), text(traced('b', 3)), text(traced('a', 7))]).toEqual(['a 1', 'b 2', 'a 1'])
})
