/** What an abbreviation of the standard library (`Ss`, `Sa`, …) spells out at most. */
const LONGEST_ABBREVIATION = 72
/** `const`, `&`, `(`, `, `, `decltype (`, `virtual thunk to ` and the like: nothing that one letter stands for is longer. */
const LETTER = 8
/** Longer sequence numbers than names have characters are no references. */
const MAX_SEQUENCE_NUMBER = 6

/** What is between an opening letter and its `E`. */
interface Group {
  /** The letter that opened it; `_` for the whole name. */
  readonly kind: string
  /** Whether what is in it is certain to be numbered: not so in expressions, literals and names of functions. */
  readonly isNumbered: boolean
  total: number
  /** Of the component that is being read. */
  current: number
  /** Whether what comes next belongs to the current component (`St`). */
  goesOn: boolean
}

/**
 * With so many references a name is at most 3 ** 8 times as long as what it is made from (three to each of eight
 * levels is the worst there is), and need not be looked at.
 */
const FEW_REFERENCES = 24

/** Twice what the worst of 120,000 honest names in node, LLVM and clang is estimated at; names of a few MB still pass. */
const MAX_LENGTH = 1 << 26

/** Whether a mangled C++ name is so made that its demangled form may take all memory. */
export function mayExplode(symbol: string): boolean {
  let references = 0
  for (let at = symbol.indexOf('_', 2); at >= 0; at = symbol.indexOf('_', at + 1)) references++
  return references > FEW_REFERENCES && expandedLength(symbol) > MAX_LENGTH
}

/**
 * About how many characters a mangled C++ name (Itanium ABI, section 5.1) demangles to, too many rather than too few.
 * A name may refer back to what it has spelled out before (`S_`, `T_`), and references to references double the length
 * each time: 200 bytes become 100 MB. A reference is taken for the longest component that its number allows, counting
 * only those that are certain to be numbered, so that it can't come out too short. Takes linear time.
 */
export function expandedLength(symbol: string): number {
  const scan = new Scan(symbol)
  for (let at = 2; at < symbol.length; ) at = scan.step(at)
  return scan.total()
}

class Scan {
  readonly #symbol: string
  readonly #open: Group[] = []
  /** Length of the longest component when the component with this number was complete. */
  readonly #longestAt: number[] = []
  #longest = 1
  #parameters = 0

  constructor(symbol: string) {
    this.#symbol = symbol
    this.#push('_')
  }

  get #top(): Group {
    return this.#open.at(-1)!
  }

  /** Reads what is at a position. @returns where the next part starts */
  step(at: number): number {
    const letter = this.#symbol[at]!
    if (letter >= '0' && letter <= '9') return this.#sourceName(at)
    if (letter === 'S' || letter === 'T') return this.#reference(letter, at)
    if (letter === 'D' && /[tT]/.test(this.#symbol[at + 1] ?? '')) {
      this.#push('X')
      return at + 2
    }
    if ('IJNFXLZ'.includes(letter)) this.#push(letter)
    else if (letter === 'E') this.#close(this.#symbol[at + 1])
    else this.#add(LETTER, letter >= 'a' && letter <= 'z')
    return at + 1
  }

  /** With the parameters of a conversion operator, which are those of arguments that come later. */
  total(): number {
    while (this.#open.length > 1) this.#close(undefined)
    return this.#top.total + this.#parameters * this.#longest
  }

  #push(kind: string): void {
    const parent = this.#open.at(-1)
    const isNumbered =
      'IJFN'.includes(kind) && (parent === undefined || parent.kind === '_' || parent.isNumbered)
    this.#open.push({ kind, isNumbered, total: 0, current: 0, goesOn: false })
  }

  #close(next: string | undefined): void {
    const { kind, total } = this.#open.pop()!
    if (this.#open.length === 0) this.#push('_')
    this.#add(total + LETTER, kind !== 'I')
    // The last part of a nested name may be a function's.
    if (kind === 'I' && this.#top.isNumbered && !(this.#top.kind === 'N' && next === 'E')) this.#number()
  }

  #add(size: number, startsComponent: boolean): void {
    const top = this.#top
    top.total += size
    top.current = startsComponent && top.kind !== 'N' && !top.goesOn ? size : top.current + size
    top.goesOn = false
    this.#longest = Math.max(this.#longest, top.current)
  }

  #number(): void {
    this.#longestAt.push(this.#longest)
  }

  #sourceName(at: number): number {
    const digits = /^\d{1,6}/.exec(this.#symbol.slice(at, at + 6))![0]
    const length = Number(digits)
    const end = at + digits.length + length
    this.#add(length + LETTER, true)
    const next = this.#symbol[end]
    if (this.#top.isNumbered && !(this.#top.kind === 'N' && (next === 'E' || next === 'B'))) this.#number()
    return end
  }

  #reference(letter: 'S' | 'T', at: number): number {
    const [text, number = ''] =
      /^([0-9A-Z]*)_/.exec(this.#symbol.slice(at + 1, at + 1 + MAX_SEQUENCE_NUMBER)) ?? []
    if (text === undefined) {
      this.#add(letter === 'S' ? LONGEST_ABBREVIATION : LETTER, true)
      if (letter === 'S' && this.#symbol[at + 1] === 't') this.#top.goesOn = true
      return at + 2
    }
    if (letter === 'T') this.#parameters++
    const index = number === '' ? 0 : Number.parseInt(number, 36) + 1
    const longest = letter === 'S' ? (this.#longestAt[index] ?? this.#longest) : this.#longest
    this.#add(longest + LETTER, true)
    return at + 1 + text.length
  }
}
