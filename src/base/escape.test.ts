import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { escapeText, quoteText } from './escape.ts'

describe('escapeText', () => {
  test.each([
    ['', ''],
    ['std::vector<int>::push_back(int&&)', 'std::vector<int>::push_back(int&&)'],
    ['back\\slash', 'back\\slash'],
    ['größe 関数 𝑓', 'größe 関数 𝑓'],
    ['\x1b[31mred', '\\x1b[31mred'],
    ['a\nb\tc\0', 'a\\x0ab\\x09c\\x00'],
    ['\x7f\x80\x9b', '\\x7f\\x80\\x9b'],
    ['abc\u202edef\u2066', 'abc\\u202edef\\u2066'],
    ['\u200e\u200f\u061c', '\\u200e\\u200f\\u061c'],
    ['\u2028\u2029', '\\u2028\\u2029'],
    ['\ufeffzero\u200bwidth', '\\ufeffzero\\u200bwidth'],
    ['half \ud800 pair \udc00', 'half \\ud800 pair \\udc00'],
    ['tag \u{e0041}', 'tag \\u{e0041}'],
    ['unassigned \u2065, drawn as nothing \u3164', 'unassigned \\u2065, drawn as nothing \\u3164'],
  ])('%j', (text, expected) => {
    expect(escapeText(text)).toBe(expected)
  })

  test('leaves nothing that steers a terminal, and changes nothing else', () => {
    // Spelled out as ranges, apart from the categories that the implementation goes by.
    const steering =
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
      /[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|(?<![\ud800-\udbff])[\udc00-\udfff]|[\ud800-\udbff](?![\udc00-\udfff])/
    fc.assert(
      fc.property(fc.string({ unit: fc.nat(0x2fff).map((unit) => String.fromCharCode(unit)) }), (text) => {
        const escaped = escapeText(text)
        expect(escaped).not.toMatch(steering)
        expect(escapeText(escaped)).toBe(escaped)
      }),
    )
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(escapeText(text)).not.toMatch(steering)
      }),
    )
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(escapeText(text)).toBe(text)
      }),
    )
  })
})

test('quoteText quotes and escapes', () => {
  expect(quoteText('a\x07b')).toBe("'a\\x07b'")
})
