import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { editDistance, nearestMatch } from './nearest.ts'

describe('nearestMatch', () => {
  const options = [
    '--function',
    '--format',
    '--flat',
    '--max-depth',
    '--no-lib',
    '--nest-lib',
    '--tid',
    '--pid',
  ]
  test.each([
    ['--funtcion', '--function'],
    ['--fucntion', '--function'],
    ['--functions', '--function'],
    ['--maxdepth', '--max-depth'],
    ['--MAX-DEPTH', '--max-depth'],
    ['--formt', '--format'],
    ['--pdi', '--pid'],
    ['--nolib', '--no-lib'],
    ['--completely-else', undefined],
    ['x', undefined],
    ['', undefined],
  ])('%s', (word, expected) => {
    expect(nearestMatch(word, options)).toBe(expected)
  })

  test('the nearest wins over an earlier one, the first among equals', () => {
    expect(nearestMatch('parse_line', ['parse_lime_', 'parse_lane', 'parse_lint'])).toBe('parse_lane')
  })

  test('searches 100,000 long names at once', () => {
    const names = Array.from(
      { length: 100_000 },
      (_, index) => `v8::internal::Heap::CollectGarbage${index}(int)`,
    )
    const began = performance.now()
    expect(nearestMatch('v8::internal::Heap::ColectGarbage777(int)', names)).toBe(names[777])
    expect(performance.now() - began).toBeLessThan(2000)
  })
})

describe('editDistance', () => {
  test('takes no longer than the band of very long names', () => {
    const began = performance.now()
    expect(editDistance('ab'.repeat(100_000), `x${'ab'.repeat(100_000)}`, 3)).toBe(1)
    expect(performance.now() - began).toBeLessThan(2000)
  })

  /** The textbook recurrence, with a full table. */
  function reference(a: string, b: string): number {
    const table = Array.from({ length: a.length + 1 }, (_, i) =>
      Array.from({ length: b.length + 1 }, (_, j) => (i === 0 ? j : j === 0 ? i : 0)),
    )
    for (let i = 1; i <= a.length; i++) {
      for (let j = 1; j <= b.length; j++) {
        const options = [
          table[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1),
          table[i - 1]![j]! + 1,
          table[i]![j - 1]! + 1,
        ]
        if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
          options.push(table[i - 2]![j - 2]! + 1)
        table[i]![j] = Math.min(...options)
      }
    }
    return table[a.length]![b.length]!
  }

  test('equals the full table up to its bound', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 9 })
    fc.assert(
      fc.property(word, word, fc.nat(6), (a, b, bound) => {
        expect(editDistance(a, b, bound)).toBe(Math.min(reference(a, b), bound + 1))
      }),
      { numRuns: 5000 },
    )
  })
})
