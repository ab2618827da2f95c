import { describe, expect, test } from 'vitest'
import { UsageError } from '../base/errors.ts'
import { parseOptionWords } from './option-parser.ts'
import { traceOptions } from './option-table.ts'

/** `name=value` for each option, then the operands after `|`. */
function parsed(words: readonly string[]): string {
  const { options, operands } = parseOptionWords(traceOptions, words)
  return [
    ...options.map(({ name, value }) => (value === '' ? name : `${name}=${value}`)),
    '|',
    ...operands,
  ].join(' ')
}

describe('getopt_long habits', () => {
  test.each([
    [[], '|'],
    [['-fPAT'], 'function=PAT |'],
    [['-f', 'PAT'], 'function=PAT |'],
    [['--function=PAT'], 'function=PAT |'],
    [['--function', 'PAT'], 'function=PAT |'],
    [['--function=a=b'], 'function=a=b |'],
    [['--lib='], 'lib |'],
    [['-f', ''], 'function |'],
    [['-f=PAT'], 'function==PAT |'],
    [['-dfPAT', '-d'], 'debug function=PAT debug |'],
    [['-df', 'PAT'], 'debug function=PAT |'],
    [['-f', '-d'], 'function=-d |'],
    [['-f', '--'], 'function=-- |'],
    [['--max-depth', '-1'], 'max-depth=-1 |'],
    [['-f𝑓'], 'function=𝑓 |'],
    [['--func', 'PAT'], 'function=PAT |'],
    [['--max-d=3'], 'max-depth=3 |'],
    [['--lib=a', '--tid'], 'lib=a tid |'],
    [['--no-fu=x', '--no-l=y', '--no-r'], 'no-function=x no-lib=y no-randomize-addr |'],
    [['-f', 'a', '-f', 'b'], 'function=a function=b |'],
    [['--', '-d'], '| -d'],
    [['-d', '--', 'ls', '--', '-l'], 'debug | ls -- -l'],
    [['-d', 'ls', '-l', '--tid'], 'debug | ls -l --tid'],
    [['-', '-d'], '| - -d'],
    [['-?', '--nonsense'], 'help |'],
    [['-h'], 'help |'],
    [['-dV', '--nonsense'], 'debug version |'],
    [['--usa'], 'usage |'],
  ])('%j', (words, expected) => {
    expect(parsed(words)).toBe(expected)
  })
})

describe('errors', () => {
  test.each([
    [['--funtcion=x'], `unknown option '--funtcion': did you mean '--function'?`],
    [['--maxdepth', '3'], `unknown option '--maxdepth': did you mean '--max-depth'?`],
    [['--bogus-thing'], `unknown option '--bogus-thing'`],
    [['--=x'], `unknown option '--'`],
    [['-x'], `unknown option '-x'`],
    [['-dx'], `unknown option '-x'`],
    [['-v'], `unknown option '-v': did you mean '-V'?`],
    [['-F', 'x'], `unknown option '-F': did you mean '-f'?`],
    [['-max-depth=3'], `unknown option '-m': did you mean '--max-depth'?`],
    [['-\x1b'], `unknown option '-\\x1b'`],
    [
      ['--no'],
      "option '--no' is ambiguous: it could be --no-randomize-addr, --no-function, --no-lib, --no-follow-fork",
    ],
    [['--time=1ms'], "option '--time' is ambiguous: it could be --time-filter, --timestamp"],
    [['--flat=yes'], "--flat takes no argument, and is given 'yes'"],
    [['--flat='], "--flat takes no argument, and is given ''"],
    [['-f'], '-f needs an argument: -f PATTERN'],
    [['--max-d'], '--max-depth needs an argument: --max-depth=DEPTH'],
    [['--format', 'json'], "--format: 'json' is none of graph, flat, jsonl; did you mean 'jsonl'?"],
    [['--color=blue'], "--color: 'blue' is none of auto, always, never"],
    [['-p1', '-p', '2'], '-p is given more than once'],
    [['-c', 'a', '--command=b'], '--command is given more than once'],
    [['-ux', '-uy'], '-u is given more than once'],
    [['-ox', '-oy'], '-o is given more than once'],
  ])('%j', (words, message) => {
    expect(() => parseOptionWords(traceOptions, words)).toThrow(new UsageError(message))
  })
})

test('names and letters are unique in the table', () => {
  const names = traceOptions.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  const letters = traceOptions.flatMap((option) => ('short' in option ? option.short : []))
  expect(new Set(letters).size).toBe(letters.length)
})
