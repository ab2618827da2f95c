import { bracketEnd } from './glob-pattern.ts'

/**
 * The names of C++ operators are made of the characters that lists and groups are made of: they are taken whole.
 * `operator,` needs its argument list, or it could not be told from a list that begins with `operator`.
 */
const operatorName =
  /operator(?:\s+(?:new|delete))?\s*(?:\(\)|\[\]|<=>|<<=|>>=|->\*|<<|>>|<=|>=|->|<|>|,(?=\())/y

/**
 * Splits a comma list of globs. A comma within balanced `()` or `<>`, within a bracket expression, or after a backslash
 * belongs to its pattern, so that C++ names can be given whole: `f(int, int),std::map<int, int>::*,[a,b]*`.
 * Blanks around a pattern and empty patterns are dropped.
 */
export function splitPatternList(list: string): string[] {
  const groupEnds = findGroups(list)
  const patterns: string[] = []
  let start = 0
  for (let index = 0; index < list.length; index++) {
    if (list[index] === '\\') index++
    else if (list[index] === ',') {
      patterns.push(list.slice(start, index))
      start = index + 1
    } else index = groupEnds.get(index) ?? index
  }
  patterns.push(list.slice(start))
  return patterns.map((pattern) => pattern.trim()).filter((pattern) => pattern !== '')
}

/** For each index where a group of characters opens that no list is split in: the index of its last character. */
function findGroups(list: string): ReadonlyMap<number, number> {
  const ends = new Map<number, number>()
  const open: { readonly index: number; readonly opener: string }[] = []
  let openParentheses = 0
  const lastClose = list.lastIndexOf(']')
  for (let index = 0; index < list.length; index++) {
    const character = list[index]!
    const whole = character === 'o' ? operatorAt(list, index) : undefined
    const end = whole ?? (character === '[' && index < lastClose ? bracketEnd(list, index) : undefined)
    if (end !== undefined) {
      ends.set(index, end)
      index = end
    } else if (character === '\\') {
      index++
    } else if (character === '(' || character === '<') {
      open.push({ index, opener: character })
      if (character === '(') openParentheses++
    } else if (character === '>' && open.at(-1)?.opener === '<') {
      ends.set(open.pop()!.index, index)
    } else if (character === ')' && openParentheses > 0) {
      // What opened since and never closed was no group: `(a < b)`.
      while (open.at(-1)!.opener !== '(') open.pop()
      ends.set(open.pop()!.index, index)
      openParentheses--
    }
  }
  return ends
}

function operatorAt(list: string, index: number): number | undefined {
  operatorName.lastIndex = index
  const length = operatorName.exec(list)?.[0].length
  return length && index + length - 1
}
