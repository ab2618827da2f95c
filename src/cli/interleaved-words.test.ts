import { expect, it } from 'vitest'
import { parseInterleavedWords } from './interleaved-words.ts'

const table = [
  { name: 'limit', short: ['n'], argument: 'N', group: '', help: '' },
  { name: 'fold', group: '', help: '' },
] as const

it.each([
  ['a --limit 5 b --fold', ['limit=5', 'fold='], ['a', 'b']],
  ['-n5 a b', ['limit=5'], ['a', 'b']],
  ['a -- --fold b -n', [], ['a', '--fold', 'b', '-n']],
  ['- --fold', ['fold='], ['-']],
  ['', [], []],
])('%s', (line, options, operands) => {
  const parsed = parseInterleavedWords(table, line === '' ? [] : line.split(' '))
  expect(parsed.options.map(({ name, value }) => `${name}=${value}`)).toEqual(options)
  expect(parsed.operands).toEqual(operands)
})

it('what is wrong after an operand is said as ever', () => {
  expect(() => parseInterleavedWords(table, ['a', '--limti'])).toThrow(/--limit/)
})
