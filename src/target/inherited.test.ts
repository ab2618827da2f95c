import { expect, test } from 'vitest'
import { parseInheritedState } from './inherited.ts'

const nothing = {
  openFilesLimit: undefined,
  ignoredSignals: [],
  blockedSignals: [],
  descriptors: [],
  environment: undefined,
}

test('reads what bin/utrace writes', () => {
  const text =
    'nofile=1024;ignored=0000000000001001;blocked=0000000000010200;fds= 0 1 2 5 12;environment=Wj0xAEE9PTIAQj0A.'
  expect(parseInheritedState(text)).toEqual({
    openFilesLimit: 1024,
    ignoredSignals: ['HUP', 'PIPE'],
    blockedSignals: ['USR1', 'CHLD'],
    descriptors: [5, 12],
    environment: { Z: '1', A: '=2', B: '' },
  })
  expect(Object.keys(parseInheritedState(text).environment ?? {})).toEqual(['Z', 'A', 'B'])
})

test('signal n is bit n - 1, up to SYS; real-time signals have no names', () => {
  const ignored = (mask: string) => parseInheritedState(`ignored=${mask}`).ignoredSignals
  expect(ignored('100')).toEqual(['KILL'])
  expect(ignored('40000000')).toEqual(['SYS'])
  expect(ignored('ffffffff80000000')).toEqual([])
  expect(ignored('ffffffffffffffff')).toHaveLength(31)
})

test.each([
  [''],
  ['nofile=unlimited;ignored=;blocked=;fds='],
  ['nofile=-1;ignored=xyz;blocked=12 34;fds= 0 1 2'],
  ['=;;;'],
])('%j says nothing', (text) => {
  expect(parseInheritedState(text)).toEqual(nothing)
})

test('an empty environment is not an unknown one', () => {
  expect(parseInheritedState('environment=.').environment).toEqual({})
  expect(parseInheritedState('environment=').environment).toBeUndefined()
})
