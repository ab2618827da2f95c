import fc from 'fast-check'
import koffi from 'koffi'
import { describe, expect, test } from 'vitest'
import { compileGlob } from './glob-pattern.ts'

const fnmatch: (pattern: string, name: string, flags: number) => number = koffi
  .load('libc.so.6')
  .func('int fnmatch(str pattern, str name, int flags)')

describe('compileGlob', () => {
  test.each([
    ['', '', true],
    ['', 'a', false],
    ['main', 'main', true],
    ['main', 'mainly', false],
    ['*', '', true],
    ['***', 'a::b/c', true],
    ['std::*', 'std::vector<int>::size() const', true],
    ['std::*', 'boost::x', false],
    ['*alloc', '__libc_malloc', true],
    ['*alloc*', 'my_alloc_fn', true],
    ['*/b', 'a/x/b', true],
    ['a?c', 'a/c', true],
    ['a?c', 'ac', false],
    ['a?c', 'a𝑓c', true],
    ['[𝑎-𝑧]*', '𝑓()', true],
    ['[!𝑎]', '𝑎', false],
    ['lua_[a-c]*', 'lua_call', true],
    ['lua_[!a-c]*', 'lua_call', false],
    ['lua_[^a-c]*', 'lua_dump', true],
    ['[]]', ']', true],
    ['[a-]', '-', true],
    ['[[:digit:]_]', '7', true],
    ['[[:digit:]_]', '_', true],
    ['[[:upper:]]*', 'lower', false],
    ['\\*', '*', true],
    ['\\*', 'a', false],
    ['operator\\*', 'operator*', true],
    ['[\\]]', ']', true],
    ['a\\', 'a', false],
    ['operator[]*', 'operator[](int)', true],
    ['*[', 'operator[', true],
    ['[a-', '[a-', true],
  ])('%s on %s: %s', (pattern, name, expected) => {
    expect(compileGlob(pattern)(name)).toBe(expected)
  })

  const name = fc.string({ unit: fc.constantFrom(...'aabbc]-/:*\\!['), maxLength: 8 })

  test('agrees with fnmatch(3) of libc', () => {
    const piece = fc.constantFrom(
      ...[
        'a',
        'b',
        'c',
        '*',
        '*',
        '?',
        '[',
        ']',
        '!',
        '^',
        '-',
        '\\',
        '/',
        ':',
        '[a',
        '[!b]',
        '[a-b]',
        '[^-a]',
      ],
      ...['[]a]', '[[:alpha:]]', '[[:punct:]a]', '[![:alpha:]', 'ab', '::'],
    )
    // Left out, since implementations differ: equivalence classes and collating symbols, `[:` that names no class, and a range
    // that nothing ends, as in `[a-`, which glibc lets match nothing.
    const pattern = fc
      .array(piece, { maxLength: 8 })
      .map((pieces) => pieces.join(''))
      .filter((text) => !/\[[.=:](?!(alpha|punct):\])|\[.*-$/.test(text))
    const check = (glob: string, text: string) =>
      expect(compileGlob(glob)(text), `${glob} on ${text}`).toBe(fnmatch(glob, text, 0) === 0)
    fc.assert(
      fc.property(pattern, name, (glob, text) => {
        check(glob, text)
      }),
      { numRuns: 20_000 },
    )
  })

  test('agrees with a naive matcher on names of any script', () => {
    const matchesNaively = (pattern: readonly string[], text: readonly string[]): boolean => {
      const [head, ...rest] = pattern
      if (head === undefined) return text.length === 0
      if (head === '*')
        return matchesNaively(rest, text) || (text.length > 0 && matchesNaively(pattern, text.slice(1)))
      return text.length > 0 && (head === '?' || head === text[0]) && matchesNaively(rest, text.slice(1))
    }
    const letters = ['a', 'b', 'é', '関', '𝑓', '😀']
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('*', '?', ...letters), { maxLength: 7 }),
        fc.array(fc.constantFrom(...letters), { maxLength: 9 }),
        (pattern, text) => {
          expect(compileGlob(pattern.join(''))(text.join(''))).toBe(matchesNaively(pattern, text))
        },
      ),
      { numRuns: 3000 },
    )
  })

  test('every character class is that of the C locale', () => {
    const classes = 'alnum alpha blank cntrl digit graph lower print punct space upper xdigit'.split(' ')
    for (const name of classes) {
      const matches = compileGlob(`[[:${name}:]]`)
      for (let code = 1; code < 128; code++) {
        const character = String.fromCharCode(code)
        expect(matches(character), `${name} ${code}`).toBe(fnmatch(`[[:${name}:]]`, character, 0) === 0)
      }
    }
  })

  test.each([
    [`${'a*'.repeat(40)}b`, 'a'.repeat(20_000)],
    [`${'*a'.repeat(40)}b`, 'a'.repeat(20_000)],
    [`${'['.repeat(50_000)}*`, 'x'],
    [`${'['.repeat(50_000)}*]`, 'x'],
  ])('stays fast on %.10s…', (pattern, text) => {
    const began = performance.now()
    expect(compileGlob(pattern)(text)).toBe(false)
    expect(performance.now() - began).toBeLessThan(1000)
  })
})
