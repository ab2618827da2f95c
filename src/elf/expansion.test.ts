import { describe, expect, it } from 'vitest'
import { demangle } from './demangle.ts'
import { expandedLength, mayExplode } from './expansion.ts'
import { fileSource } from './file-source.ts'
import { readFunctions } from './functions.ts'
import { parseElf } from './image.ts'

/** A parameter type that holds the one before it `width` times, over and over: `P<int, int>`, `P<P<…>, P<…>>`, … */
function nested(depth: number, width: number): string {
  const reference = (level: number) => `S${level.toString(36).toUpperCase()}_`
  const levels = Array.from({ length: depth }, (_, level) => `S_I${reference(level).repeat(width)}E`)
  return `_Z1f1PIiiE${levels.join('')}`
}

describe('expandedLength', () => {
  it.each([
    [2, 2],
    [10, 2],
    [12, 2],
    [4, 10],
    [3, 60],
  ])('is no less than the length of a name of %i levels of %i references', (depth, width) => {
    const symbol = nested(depth, width)
    const name = demangle(symbol)
    expect(name).not.toBe(symbol)
    expect(expandedLength(symbol)).toBeGreaterThanOrEqual(name.length)
  })

  it('takes linear time', () => {
    const start = performance.now()
    expandedLength(`_Z${'N'.repeat(100_000)}`)
    expandedLength(`_Z1f${'S_'.repeat(50_000)}`)
    expandedLength(`_Z${'I1a'.repeat(30_000)}${'E'.repeat(90_000)}`)
    expect(performance.now() - start).toBeLessThan(2_000)
  })
})

describe('mayExplode', () => {
  it('refuses names that double with every few bytes', () => {
    for (const symbol of [nested(20, 2), nested(26, 3), nested(7, 10), nested(4, 200)]) {
      expect(mayExplode(symbol), symbol).toBe(true)
      expect(demangle(symbol)).toBe(symbol)
    }
  })

  it('refuses no name of node', () => {
    const source = fileSource(process.execPath)
    const symbols = readFunctions(parseElf(source, process.execPath)).map(({ symbol }) => symbol)
    source.close()
    expect(symbols.filter((symbol) => symbol.startsWith('_Z') && mayExplode(symbol))).toEqual([])
  })
})
