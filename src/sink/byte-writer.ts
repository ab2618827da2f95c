/** Takes bytes that are valid only during the call: the buffer behind them is written over afterwards. */
export type ChunkWriter = (chunk: Uint8Array) => void

const encoder = new TextEncoder()

/** UTF-8, for text that is encoded once and written often. */
export function encode(text: string): Uint8Array {
  return encoder.encode(text)
}

const flushThreshold = 64 * 1024
const initialCapacity = 2 * flushThreshold

const zero = 0x30
const minus = 0x2d
const space = 0x20
const newline = 0x0a
/** The nine digits that fit a small integer of the JavaScript engine, on which arithmetic is cheap. */
const groupDigits = 9
const groupLimit = 1e9

/** `tens[n]` and `ones[n]`: the digits of 0 to 99 as characters. */
const tens = Uint8Array.from({ length: 100 }, (_, n) => zero + Math.floor(n / 10))
const ones = Uint8Array.from({ length: 100 }, (_, n) => zero + (n % 10))

/**
 * Text as bytes, formatted in place in one reusable buffer: no strings and no garbage per line. Whole lines are
 * handed on once 64 KiB have gathered; a longer line makes the buffer grow.
 */
export class ByteWriter {
  readonly #writeChunk: ChunkWriter
  #bytes = new Uint8Array(initialCapacity)
  #length = 0

  constructor(writeChunk: ChunkWriter) {
    this.#writeChunk = writeChunk
  }

  byte(value: number): void {
    if (this.#length === this.#bytes.length) this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  bytes(source: Uint8Array): void {
    const size = source.length
    if (this.#length + size > this.#bytes.length) this.#reserve(size)
    if (size > 64) {
      this.#bytes.set(source, this.#length)
      this.#length += size
      return
    }
    // A plain loop beats the call of `set` for the few bytes of a name.
    const target = this.#bytes
    let to = this.#length
    for (let from = 0; from < size; from += 1) target[to++] = source[from]!
    this.#length = to
  }

  spaces(count: number): void {
    if (count <= 0) return
    if (this.#length + count > this.#bytes.length) this.#reserve(count)
    const end = this.#length + count
    if (count > 64) this.#bytes.fill(space, this.#length, end)
    else for (let to = this.#length; to < end; to += 1) this.#bytes[to] = space
    this.#length = end
  }

  /** A safe integer in decimal. */
  integer(value: number): void {
    if (value < 0) {
      this.byte(minus)
      value = -value
    }
    this.digits(value, digitCount(value))
  }

  /** A safe integer in decimal, right-aligned: as wide as it needs if that is more than `width`. */
  integerRight(value: number, width: number): void {
    const isNegative = value < 0
    const count = digitCount(isNegative ? -value : value)
    this.spaces(width - count - (isNegative ? 1 : 0))
    if (isNegative) this.byte(minus)
    this.digits(isNegative ? -value : value, count)
  }

  /** The last `count` decimal digits of a safe integer >= 0, with leading zeros. */
  digits(value: number, count: number): void {
    if (this.#length + count > this.#bytes.length) this.#reserve(count)
    let end = this.#length + count
    this.#length = end
    while (count > groupDigits) {
      const high = Math.floor(value / groupLimit)
      this.#group(value - high * groupLimit, groupDigits, end)
      value = high
      count -= groupDigits
      end -= groupDigits
    }
    this.#group(value, count, end)
  }

  /** Ends a line: the only place where bytes are handed on unasked, so that readers see whole lines. */
  endLine(): void {
    this.byte(newline)
    if (this.#length >= flushThreshold) this.flush()
  }

  flush(): void {
    if (this.#length === 0) return
    const size = this.#length
    // First, so that bytes whose writing failed are not written again.
    this.#length = 0
    this.#writeChunk(this.#bytes.subarray(0, size))
  }

  /** Writes `count` digits of a `value` below 10^9 so that they end before index `end`. */
  #group(value: number, count: number, end: number): void {
    const target = this.#bytes
    let rest = value | 0
    while (count >= 2) {
      const higher = (rest / 100) | 0
      const pair = rest - higher * 100
      target[--end] = ones[pair]!
      target[--end] = tens[pair]!
      rest = higher
      count -= 2
    }
    if (count === 1) target[--end] = zero + (rest % 10)
  }

  #reserve(size: number): void {
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + size))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }
}

/** Number of decimal digits of a safe integer >= 0. */
function digitCount(value: number): number {
  if (value >= groupLimit) return groupDigits + digitCount(Math.floor(value / groupLimit))
  let count = 1
  for (let limit = 10; count < groupDigits && value >= limit; limit *= 10) count += 1
  return count
}
