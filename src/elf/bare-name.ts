/** What comes before the name where the symbol is no function of the source itself: kept, since it tells them apart. */
const SPECIAL_PREFIX =
  /^(?:(?:non-virtual thunk|virtual thunk|covariant return thunk) to |TLS (?:init|wrapper) function for |transaction clone for |non-transaction clone for )/

const CLONE_SUFFIX = / \[clone [^\]]*\]$/

/** Longest first, so that `<<=` is not taken for `<`. */
const OPERATOR_SYMBOLS = [
  ['<=>', '->*', '<<=', '>>='],
  [
    '()',
    '[]',
    '<<',
    '>>',
    '->',
    '<=',
    '>=',
    '==',
    '!=',
    '&&',
    '||',
    '++',
    '--',
    '+=',
    '-=',
    '*=',
    '/=',
    '%=',
  ],
  ['^=', '&=', '|=', '""', '+', '-', '*', '/', '%', '^', '&', '|', '~', '!', '=', '<', '>', ','],
].flat()

/** A declarator within a declarator is a function that returns a pointer to one: more levels nobody writes. */
const MAX_NESTING = 4

/**
 * The name of a function as people ask for it: without its arguments, its return type, its qualifiers and the
 * compiler's note that it is a clone. `void ns::C<int>::f<char>(char) const` is `ns::C<int>::f<char>`.
 * Takes what `demangle` gives; a name without arguments comes back as it is. Linear in the length of the name.
 */
export function bareName(demangled: string): string {
  const text = withoutCloneSuffixes(demangled)
  const prefix = SPECIAL_PREFIX.exec(text)?.[0] ?? ''
  const name = declaredName(text.slice(prefix.length), 0)
  return name === '' ? demangled : prefix + name
}

function withoutCloneSuffixes(demangled: string): string {
  let text = demangled
  // At most a few in practice; the bound keeps a name made of nothing else from taking quadratic time.
  for (let count = 0; count < 16; count++) {
    const suffix = text.endsWith(']') ? CLONE_SUFFIX.exec(text.slice(-256)) : null
    if (!suffix) break
    text = text.slice(0, -suffix[0].length)
  }
  return text
}

/** A pair of parentheses that nothing encloses: from `(` to behind `)`. */
interface Group {
  readonly start: number
  readonly end: number
}

function declaredName(text: string, nesting: number): string {
  if (!text.includes('(')) return text
  const { groups, nameStart, isConversion } = scan(text)
  const last = groups.at(-1)
  if (!last) return text
  const before = groups.at(-2)
  // void (*f(int))(char), and int (&f(int)) [3]: the name is within the parentheses.
  const wrapper = before && before.end === last.start ? before : last
  if (!isConversion && nesting < MAX_NESTING) {
    const inner = /^(?:[^()]*::)?[*&]+(?: ?const)? ?/.exec(text.slice(wrapper.start + 1, wrapper.end - 1))
    if (inner)
      return declaredName(text.slice(wrapper.start + 1 + inner[0].length, wrapper.end - 1), nesting + 1)
  }
  return text.slice(nameStart <= last.start ? nameStart : 0, last.start).trim()
}

/**
 * Walks once over a name: which parentheses may hold arguments, and where the name starts, behind the last space
 * that neither brackets nor the type of a conversion operator enclose.
 */
function scan(text: string): { groups: Group[]; nameStart: number; isConversion: boolean } {
  const groups: Group[] = []
  const open: number[] = []
  let parentheses = 0
  let nameStart = 0
  let isConversion = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    // Lower-case letters are most of a name.
    if (code > CLOSE_BRACKET && code < OPEN_BRACE && code !== LOWER_O) continue
    if (code === LOWER_O && startsOperator(text, at)) {
      const symbol = operatorSymbol(text, at + 8)
      if (symbol === '' && open.length === 0) isConversion = true
      at += 7 + symbol.length
      // operator< <int>(…), operator"" _km(…): this space is within the name.
      if (symbol !== '' && text[at + 1] === ' ') at++
    } else if (code === OPEN_PARENTHESIS || code === LESS || code === OPEN_BRACKET || code === OPEN_BRACE) {
      open.push(at)
      if (code === OPEN_PARENTHESIS) parentheses++
    } else if (code === CLOSE_PARENTHESIS && parentheses > 0) {
      parentheses--
      // A `<` that is still open in here was a comparison in a template argument.
      let opening = open.pop()!
      while (text.charCodeAt(opening) !== OPEN_PARENTHESIS) opening = open.pop()!
      if (open.length === 0 && isArguments(text, opening, at + 1))
        groups.push({ start: opening, end: at + 1 })
    } else if (code === GREATER || code === CLOSE_BRACKET || code === CLOSE_BRACE) {
      const opening = open.at(-1)
      const isArrow = code === GREATER && text[at - 1] === '-'
      if (opening !== undefined && text.charCodeAt(opening) === OPENING_OF[code] && !isArrow) open.pop()
    } else if (code === SPACE && open.length === 0 && !isConversion && !precedesQualifier(text, at)) {
      nameStart = at + 1
    }
  }
  return { groups, nameStart, isConversion }
}

const SPACE = 0x20
const OPEN_PARENTHESIS = 0x28
const CLOSE_PARENTHESIS = 0x29
const LESS = 0x3c
const GREATER = 0x3e
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const LOWER_O = 0x6f
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPENING_OF: Readonly<Record<number, number>> = {
  [GREATER]: LESS,
  [CLOSE_BRACKET]: OPEN_BRACKET,
  [CLOSE_BRACE]: OPEN_BRACE,
}

function startsOperator(text: string, at: number): boolean {
  return (
    text.startsWith('operator', at) && !isWord(text.charCodeAt(at - 1)) && !isWord(text.charCodeAt(at + 8))
  )
}

/** `new`, `delete` and `co_await` are words and taken as types: the space before them ends no return type either. */
function operatorSymbol(text: string, at: number): string {
  return OPERATOR_SYMBOLS.find((symbol) => text.startsWith(symbol, at)) ?? ''
}

function isWord(code: number): boolean {
  return (
    (code >= 0x30 && code <= 0x39) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x61 && code <= 0x7a) ||
    code === 0x5f ||
    code === 0x24
  )
}

/** Not every pair of parentheses holds arguments: a namespace without a name, the operand of `decltype`, a scope. */
function isArguments(text: string, start: number, end: number): boolean {
  if (text.startsWith('(anonymous ', start)) return false
  if (text.startsWith('decltype', start - 8) || text.startsWith('decltype ', start - 9)) return false
  return !/^(?: (?:const|volatile|&&?))*::/.test(text.slice(end, end + 32))
}

/** `f(int) const`, `char const*`: what follows the space belongs to what precedes it. */
function precedesQualifier(text: string, at: number): boolean {
  return /^(?:const|volatile|noexcept|restrict|&|\[)/.test(text.slice(at + 1, at + 9))
}
