/**
 * One glob, as `fnmatch(3)` without flags reads it (POSIX.1-2017, Shell Command Language, 2.13): `*` and `?` match
 * any characters, `/` and `::` included; `[a-z]`, `[!a-z]`, `[^a-z]` and `[[:digit:]]` match one; a backslash takes
 * the next character as it is, and one at the very end matches nothing; a `[` that is never closed stands for itself.
 * Names are matched by code point, and character classes know ASCII.
 */
export type Matcher = (name: string) => boolean

/** Where the bracket expression that opens at `start` closes, or undefined where it does not. */
export function bracketEnd(pattern: string, start: number): number | undefined {
  let index = start + 1
  if (pattern[index] === '!' || pattern[index] === '^') index++
  // Directly after the opening, `]` is a member of the set.
  for (let first = true; index < pattern.length; first = false) {
    if (pattern[index] === ']' && !first) return index
    index += classAt(pattern, index)?.length ?? (pattern[index] === '\\' ? 2 : 1)
  }
  return undefined
}

/** Whether a pattern has no character that means something else than itself. */
export function isLiteral(pattern: string): boolean {
  return !/[*?[\\]/.test(pattern)
}

export function compileGlob(pattern: string): Matcher {
  if (isLiteral(pattern)) return (name) => name === pattern
  if (/^\*+$/.test(pattern)) return () => true
  const prefix = pattern.slice(0, -1)
  if (pattern.endsWith('*') && isLiteral(prefix)) return (name) => name.startsWith(prefix)
  const tokens = tokenize(pattern)
  return tokens === undefined ? () => false : (name) => matchTokens(tokens, name)
}

/** A literal code point, any one character, any run of characters, or one character of a set. */
type Token = number | 'any' | 'run' | CharacterSet

interface CharacterSet {
  readonly negated: boolean
  /** First and last code point of each range. */
  readonly ranges: readonly (readonly [number, number])[]
}

const characterClasses: Readonly<Record<string, CharacterSet['ranges']>> = {
  alnum: ascii('09AZaz'),
  alpha: ascii('AZaz'),
  blank: ascii('\t\t  '),
  cntrl: ascii('\0\x1f\x7f\x7f'),
  digit: ascii('09'),
  graph: ascii('!~'),
  lower: ascii('az'),
  print: ascii(' ~'),
  punct: ascii('!/:@[`{~'),
  space: ascii('\t\r  '),
  upper: ascii('AZ'),
  xdigit: ascii('09AFaf'),
}

function ascii(bounds: string): CharacterSet['ranges'] {
  return bounds.match(/../gs)!.map((pair) => [pair.charCodeAt(0), pair.charCodeAt(1)] as const)
}

/** `[:alpha:]` at `index`, inside a bracket expression. */
function classAt(pattern: string, index: number) {
  const name = /^\[:([a-z]{1,8}):\]/.exec(pattern.slice(index, index + 12))?.[1]
  const ranges = name === undefined ? undefined : characterClasses[name]
  return ranges && { ranges, length: name!.length + 4 }
}

/** Undefined for a pattern that matches nothing at all. */
function tokenize(pattern: string): readonly Token[] | undefined {
  const tokens: Token[] = []
  // Without a `]` ahead nothing needs to look for one: keeps a pattern of many `[` linear.
  const lastClose = pattern.lastIndexOf(']')
  for (let index = 0; index < pattern.length; ) {
    const end = pattern[index] === '[' && index < lastClose ? bracketEnd(pattern, index) : undefined
    if (end !== undefined) {
      tokens.push(parseSet(pattern, index + 1, end))
      index = end + 1
      continue
    }
    if (pattern[index] === '*') {
      if (tokens.at(-1) !== 'run') tokens.push('run')
    } else if (pattern[index] === '?') {
      tokens.push('any')
    } else {
      if (pattern[index] === '\\') index++
      if (index === pattern.length) return undefined
      tokens.push(pattern.codePointAt(index)!)
    }
    index += widthAt(pattern, index)
  }
  return tokens
}

function parseSet(pattern: string, start: number, end: number): CharacterSet {
  const negated = pattern[start] === '!' || pattern[start] === '^'
  const ranges: (readonly [number, number])[] = []
  let index = negated ? start + 1 : start
  const take = () => {
    if (pattern[index] === '\\') index++
    const code = pattern.codePointAt(index)!
    index += widthAt(pattern, index)
    return code
  }
  while (index < end) {
    const named = classAt(pattern, index)
    if (named) {
      ranges.push(...named.ranges)
      index += named.length
      continue
    }
    const first = take()
    const isRange = pattern[index] === '-' && index + 1 < end
    if (isRange) index++
    ranges.push([first, isRange ? take() : first])
  }
  return { negated, ranges }
}

/**
 * Linear in practice and never worse than the product of both lengths: on a mismatch only the latest `*` takes one
 * character more; an earlier one never needs to, because what followed it has matched at its leftmost place.
 */
function matchTokens(tokens: readonly Token[], name: string): boolean {
  let token = 0
  let index = 0
  let runToken = -1
  let runIndex = 0
  while (index < name.length) {
    const wanted = tokens[token]
    if (wanted === 'run') {
      runToken = token++
      runIndex = index
    } else if (wanted !== undefined && matchesOne(wanted, name.codePointAt(index)!)) {
      token++
      index += widthAt(name, index)
    } else if (runToken >= 0) {
      runIndex += widthAt(name, runIndex)
      index = runIndex
      token = runToken + 1
    } else {
      return false
    }
  }
  return token === tokens.length || (token === tokens.length - 1 && tokens[token] === 'run')
}

function matchesOne(token: Exclude<Token, 'run'>, code: number): boolean {
  if (typeof token === 'number') return token === code
  if (token === 'any') return true
  return token.ranges.some(([first, last]) => first <= code && code <= last) !== token.negated
}

/** UTF-16 units of the character at `index`. */
function widthAt(text: string, index: number): number {
  return text.codePointAt(index)! > 0xffff ? 2 : 1
}
