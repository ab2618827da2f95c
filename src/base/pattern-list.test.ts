import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { splitPatternList } from './pattern-list.ts'

describe('splitPatternList', () => {
  test.each([
    ['', []],
    [',', []],
    ['a', ['a']],
    ['a,b', ['a', 'b']],
    [' a , b ,', ['a', 'b']],
    ['f(int, int)', ['f(int, int)']],
    ['f(int, int),g', ['f(int, int)', 'g']],
    ['std::map<int, int>::*,g', ['std::map<int, int>::*', 'g']],
    ['[a,b]*,g', ['[a,b]*', 'g']],
    ['[],]x,g', ['[],]x', 'g']],
    ['[[:alpha:],]x,g', ['[[:alpha:],]x', 'g']],
    ['a\\,b,c', ['a\\,b', 'c']],
    ['f(*,g', ['f(*', 'g']],
    ['*<*,g', ['*<*', 'g']],
    ['*>*,g', ['*>*', 'g']],
    ['[a,b', ['[a', 'b']],
    ['f(a < b, c),g', ['f(a < b, c)', 'g']],
    ['operator<,std::map<int, int>::f', ['operator<', 'std::map<int, int>::f']],
    ['operator<,operator>', ['operator<', 'operator>']],
    ['operator<<*,operator>>*', ['operator<<*', 'operator>>*']],
    ['operator->,f<a, b>', ['operator->', 'f<a, b>']],
    ['operator[],operator[]', ['operator[]', 'operator[]']],
    [
      'operator new[](unsigned long),operator delete[]*',
      ['operator new[](unsigned long)', 'operator delete[]*'],
    ],
    ['operator(),operator()(int, int)', ['operator()', 'operator()(int, int)']],
    ['operator,(A, B),f', ['operator,(A, B)', 'f']],
    ['*operator,f', ['*operator', 'f']],
    [
      '(anonymous namespace)::f(std::pair<a, b>, {lambda(int, int)#1}),g',
      ['(anonymous namespace)::f(std::pair<a, b>, {lambda(int, int)#1})', 'g'],
    ],
    ['operator<=> <a, b>(c, d),operator< <a, b>', ['operator<=> <a, b>(c, d)', 'operator< <a, b>']],
  ])('%s', (list, expected) => {
    expect(splitPatternList(list)).toEqual(expected)
  })

  test('joining patterns with commas and splitting gives them back', () => {
    const atom = fc.constantFrom(
      'f',
      '*',
      '?',
      '::',
      '[a,]',
      '\\,',
      '\\(',
      'operator<',
      'operator->*',
      '~',
      ' const',
    )
    const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
      pattern: fc.oneof(
        { maxDepth: 3 },
        atom,
        fc.tuple(atom, tie('pattern'), tie('pattern')).map(([name, a, b]) => `${name}(${a}, ${b})`),
        fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => `t<${a}, ${b}>`),
      ),
    }))
    fc.assert(
      fc.property(fc.array(pattern.map((text) => text.trim())), (patterns) => {
        expect(splitPatternList(patterns.join(','))).toEqual(patterns)
      }),
    )
  })

  test.each(['(', '<', '[', '()', '<(', ')', 'operator<'])('stays fast on many %s', (piece) => {
    const began = performance.now()
    splitPatternList(`${piece.repeat(50_000)}]`)
    expect(performance.now() - began).toBeLessThan(1000)
  })
})
