import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { UsageError } from '../base/errors.ts'
import { splitCommandWords } from './command-words.ts'

describe('splitCommandWords', () => {
  test.each([
    ['', []],
    ['  \t\n', []],
    ['ls', ['ls']],
    ['  ls   -l\t/ ', ['ls', '-l', '/']],
    [`prog 'a b' "c\\"d" e\\ f`, ['prog', 'a b', 'c"d', 'e f']],
    [`a''b ''  "" 'c'"d"e`, ['ab', '', '', 'cde']],
    [`'a\\b' "a\\b" a\\b`, ['a\\b', 'a\\b', 'ab']],
    ['"\\$ \\` \\" \\\\ \\n"', ['$ ` " \\ \\n']],
    ['a\\\nb "c\\\nd" \'e\\\nf\'', ['ab', 'cd', 'e\\\nf']],
    ['\\\n a', ['a']],
    ['echo $HOME *.c | ~ # > x; y && z', ['echo', '$HOME', '*.c', '|', '~', '#', '>', 'x;', 'y', '&&', 'z']],
    [`sh -c 'echo "$0"; exit 3'`, ['sh', '-c', 'echo "$0"; exit 3']],
    ['größe "名 前" \\𝑓', ['größe', '名 前', '𝑓']],
  ])('%j', (command, words) => {
    expect(splitCommandWords(command)).toEqual(words)
  })

  test.each([
    [`prog "a b`, 'the " at column 6 is never closed: …"a b'],
    [`'`, "the ' at column 1 is never closed: '"],
    [`it's`, "the ' at column 3 is never closed: …'s"],
    [`a "b\\"`, 'the " at column 3 is never closed: …"b\\"'],
    ['a "x\ny', 'the " at column 3 is never closed: …"x\\x0ay'],
    ['prog a\\', 'the command ends in a backslash that quotes nothing: prog a\\'],
  ])('%j is refused, and the message shows where', (command, message) => {
    expect(() => splitCommandWords(command)).toThrow(new UsageError(message))
  })

  const word = fc.string({ unit: fc.constantFrom(...'ab \t\n\'"\\$`*|#~é'), maxLength: 8 })
  const quotations: readonly ((word: string) => string)[] = [
    (text) => `'${text.replaceAll("'", `'\\''`)}'`,
    (text) => `"${text.replace(/[$`"\\]/g, '\\$&')}"`,
    (text) => (text === '' ? "''" : text.replace(/./gsu, (c) => (c === '\n' ? "'\n'" : `\\${c}`))),
  ]
  const quoted = fc
    .tuple(word, fc.constantFrom(...quotations))
    .map(([text, quote]) => ({ text, quoted: quote(text) }))

  test('quoting words, however, and splitting gives them back', () => {
    const separator = fc.constantFrom(' ', '  ', '\t', '\n', ' \\\n ')
    fc.assert(
      fc.property(fc.array(quoted), separator, (words, blank) => {
        const command = words.map((each) => each.quoted).join(blank)
        expect(splitCommandWords(command)).toEqual(words.map((each) => each.text))
      }),
      { numRuns: 1000 },
    )
  })

  test('agrees with sh', () => {
    fc.assert(
      fc.property(fc.array(quoted, { minLength: 1 }), (words) => {
        const command = words.map((each) => each.quoted).join(' ')
        const script = `for word in ${command}; do printf '%s\\0' "$word"; done`
        const shellWords = execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1)
        expect(splitCommandWords(command)).toEqual(shellWords)
      }),
      { numRuns: 30 },
    )
  })
})
