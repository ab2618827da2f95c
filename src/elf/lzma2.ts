/** Compressed bytes that break the format; whoever decompresses them takes them as absent. */
export class LzmaError extends Error {
  override readonly name = 'LzmaError'
}

/** Numbers of the LZMA specification (7-Zip's lzma-specification.txt), where each of these tables has its name. */
const STATES = 12
const POSITION_STATES = 16
const FIRST_REPETITION_STATE = 7
const MIN_MATCH = 2
const END_POSITION_SLOT = 14
const ALIGN_BITS = 4
const LITERAL_CODER = 0x300

/** Places of the bit models in one array, one table after the other. */
const IS_MATCH = 0
const IS_REPETITION = IS_MATCH + STATES * POSITION_STATES
const IS_REPETITION_0 = IS_REPETITION + STATES
const IS_REPETITION_1 = IS_REPETITION_0 + STATES
const IS_REPETITION_2 = IS_REPETITION_1 + STATES
const IS_SHORT_REPETITION = IS_REPETITION_2 + STATES
const POSITION_SLOT = IS_SHORT_REPETITION + STATES * POSITION_STATES
const POSITION_SPECIAL = POSITION_SLOT + 4 * 64
const POSITION_ALIGN = POSITION_SPECIAL + 128
const MATCH_LENGTH = POSITION_ALIGN + (1 << ALIGN_BITS)
const LENGTH_CODER = 2 + 2 * POSITION_STATES * 8 + 256
const REPETITION_LENGTH = MATCH_LENGTH + LENGTH_CODER
const LITERAL = REPETITION_LENGTH + LENGTH_CODER
const HALF = 1024

/**
 * Decodes an LZMA2 stream (the xz file format 1.1.0, section 5.3.1, and liblzma's lzma2_decoder.c) into a buffer of
 * the size that the container announces, which is the dictionary as well: the memory it takes is known beforehand.
 */
export class Lzma2Decoder {
  readonly #input: Uint8Array
  readonly #output: Uint8Array
  #at: number
  /** Where the chunk that is being read ends. */
  #end = 0
  #written: number
  #dictionaryStart = 0
  #range = 0
  #code = 0
  #state = 0
  readonly #distances = new Uint32Array(4)
  #models = new Uint16Array(LITERAL)
  #literalContextBits = 0
  #literalPositionMask = 0
  #positionMask = 0

  constructor(input: Uint8Array, at: number, output: Uint8Array, written: number) {
    this.#input = input
    this.#output = output
    this.#at = at
    this.#written = written
  }

  /** @returns where the stream ends in the input and in the output @throws LzmaError */
  run(): { at: number; written: number } {
    let needsDictionary = true
    let needsProperties = true
    for (let control = this.#byte(); control !== 0; control = this.#byte()) {
      const resetsDictionary = control === 1 || control >= 0xe0
      if (needsDictionary && !resetsDictionary) throw new LzmaError('no dictionary')
      if (resetsDictionary) {
        needsDictionary = false
        needsProperties = true
        this.#dictionaryStart = this.#written
      }
      if (control < 0x80) {
        if (control > 2) throw new LzmaError('unknown chunk')
        this.#copyChunk()
        continue
      }
      const size = ((control & 0x1f) << 16) + this.#byte() * 256 + this.#byte() + 1
      const compressedSize = this.#byte() * 256 + this.#byte() + 1
      if (control >= 0xc0) {
        this.#setProperties(this.#byte())
        needsProperties = false
      } else if (needsProperties) throw new LzmaError('no properties')
      if (control >= 0xa0) this.#resetState()
      this.#decodeChunk(size, compressedSize)
    }
    return { at: this.#at, written: this.#written }
  }

  #byte(): number {
    const byte = this.#input[this.#at++]
    if (byte === undefined) throw new LzmaError('cut short')
    return byte
  }

  #copyChunk(): void {
    const size = this.#byte() * 256 + this.#byte() + 1
    const bytes = this.#input.subarray(this.#at, this.#at + size)
    if (bytes.length < size || size > this.#output.length - this.#written) throw new LzmaError('cut short')
    this.#output.set(bytes, this.#written)
    this.#at += size
    this.#written += size
  }

  #setProperties(properties: number): void {
    const literalContextBits = properties % 9
    const literalPositionBits = Math.floor(properties / 9) % 5
    const positionBits = Math.floor(properties / 45)
    if (positionBits > 4 || literalContextBits + literalPositionBits > 4) throw new LzmaError('properties')
    this.#literalContextBits = literalContextBits
    this.#literalPositionMask = (1 << literalPositionBits) - 1
    this.#positionMask = (1 << positionBits) - 1
    this.#models = new Uint16Array(LITERAL + (LITERAL_CODER << (literalContextBits + literalPositionBits)))
  }

  #resetState(): void {
    this.#state = 0
    this.#distances.fill(0)
    this.#models.fill(HALF)
  }

  #decodeChunk(size: number, compressedSize: number): void {
    const limit = this.#written + size
    this.#end = this.#at + compressedSize
    if (limit > this.#output.length || this.#end > this.#input.length) throw new LzmaError('cut short')
    if (this.#byte() !== 0) throw new LzmaError('range coder')
    this.#range = 0xffffffff
    this.#code = 0
    for (let count = 0; count < 4; count++) this.#code = this.#code * 256 + this.#byte()
    while (this.#written < limit) this.#decodeOne(limit)
    if (this.#at !== this.#end || this.#code !== 0) throw new LzmaError('chunk size')
  }

  /** A literal byte, or a match of earlier bytes. */
  #decodeOne(limit: number): void {
    const position = (this.#written - this.#dictionaryStart) & this.#positionMask
    const state = this.#state
    if (this.#bit(IS_MATCH + state * POSITION_STATES + position) === 0) {
      this.#literal()
      return
    }
    const distances = this.#distances
    let length: number
    if (this.#bit(IS_REPETITION + state) === 0) {
      distances.copyWithin(1, 0, 3)
      length = this.#length(MATCH_LENGTH, position)
      distances[0] = this.#distance(length)
      this.#state = state < FIRST_REPETITION_STATE ? 7 : 10
    } else if (this.#repeatsShortly(state, position)) {
      this.#state = state < FIRST_REPETITION_STATE ? 9 : 11
      length = 1
    } else {
      length = this.#length(REPETITION_LENGTH, position)
      this.#state = state < FIRST_REPETITION_STATE ? 8 : 11
    }
    this.#copyMatch(length, limit)
  }

  /** Takes one of the last four distances again. @returns whether it is the latest, for a single byte */
  #repeatsShortly(state: number, position: number): boolean {
    if (this.#bit(IS_REPETITION_0 + state) === 0) {
      return this.#bit(IS_SHORT_REPETITION + state * POSITION_STATES + position) === 0
    }
    const index =
      this.#bit(IS_REPETITION_1 + state) === 0 ? 1 : this.#bit(IS_REPETITION_2 + state) === 0 ? 2 : 3
    const distance = this.#distances[index]!
    this.#distances.copyWithin(1, 0, index)
    this.#distances[0] = distance
    return false
  }

  #literal(): void {
    const output = this.#output
    const position = this.#written - this.#dictionaryStart
    const previous = position > 0 ? output[this.#written - 1]! : 0
    const bits = this.#literalContextBits
    const coder = ((position & this.#literalPositionMask) << bits) + (previous >> (8 - bits))
    const models = LITERAL + LITERAL_CODER * coder
    let symbol = 1
    if (this.#state >= FIRST_REPETITION_STATE) {
      let matched = output[this.#source()]!
      // As long as the bits are those of the byte that the last match would have given.
      while (symbol < 0x100) {
        const expected = (matched >> 7) & 1
        matched <<= 1
        const bit = this.#bit(models + ((1 + expected) << 8) + symbol)
        symbol = (symbol << 1) | bit
        if (bit !== expected) break
      }
    }
    while (symbol < 0x100) symbol = (symbol << 1) | this.#bit(models + symbol)
    output[this.#written++] = symbol
    this.#state = this.#state < 4 ? 0 : this.#state < 10 ? this.#state - 3 : this.#state - 6
  }

  /** Where the latest distance leads to. */
  #source(): number {
    const source = this.#written - this.#distances[0]! - 1
    if (source < this.#dictionaryStart) throw new LzmaError('distance')
    return source
  }

  #copyMatch(length: number, limit: number): void {
    const output = this.#output
    let source = this.#source()
    if (this.#written + length > limit) throw new LzmaError('match beyond its chunk')
    for (let count = 0; count < length; count++) output[this.#written++] = output[source++]!
  }

  #length(coder: number, position: number): number {
    if (this.#bit(coder) === 0) return MIN_MATCH + this.#tree(coder + 2 + position * 8, 3)
    const middle = coder + 2 + POSITION_STATES * 8
    if (this.#bit(coder + 1) === 0) return MIN_MATCH + 8 + this.#tree(middle + position * 8, 3)
    return MIN_MATCH + 16 + this.#tree(middle + POSITION_STATES * 8, 8)
  }

  #distance(length: number): number {
    const slot = this.#tree(POSITION_SLOT + Math.min(length - MIN_MATCH, 3) * 64, 6)
    if (slot < 4) return slot
    const bits = (slot >> 1) - 1
    const base = (2 | (slot & 1)) * 2 ** bits
    if (slot < END_POSITION_SLOT) return base + this.#reverseTree(POSITION_SPECIAL + base - slot, bits)
    let high = 0
    for (let count = bits - ALIGN_BITS; count > 0; count--) high = high * 2 + this.#directBit()
    return base + high * (1 << ALIGN_BITS) + this.#reverseTree(POSITION_ALIGN, ALIGN_BITS)
  }

  #tree(models: number, bits: number): number {
    let symbol = 1
    for (let count = 0; count < bits; count++) symbol = (symbol << 1) | this.#bit(models + symbol)
    return symbol - (1 << bits)
  }

  #reverseTree(models: number, bits: number): number {
    let symbol = 1
    let value = 0
    for (let count = 0; count < bits; count++) {
      const bit = this.#bit(models + symbol)
      symbol = (symbol << 1) | bit
      value |= bit << count
    }
    return value
  }

  #bit(model: number): 0 | 1 {
    const probability = this.#models[model]!
    const bound = (this.#range >>> 11) * probability
    let bit: 0 | 1
    if (this.#code < bound) {
      this.#range = bound
      this.#models[model] = probability + ((2048 - probability) >>> 5)
      bit = 0
    } else {
      this.#range -= bound
      this.#code -= bound
      this.#models[model] = probability - (probability >>> 5)
      bit = 1
    }
    this.#normalize()
    return bit
  }

  #directBit(): 0 | 1 {
    this.#range = this.#range >>> 1
    const bit = this.#code >= this.#range ? 1 : 0
    if (bit === 1) this.#code -= this.#range
    this.#normalize()
    return bit
  }

  #normalize(): void {
    if (this.#range >= 0x1000000) return
    if (this.#at >= this.#end) throw new LzmaError('chunk size')
    this.#range = this.#range * 256
    this.#code = this.#code * 256 + this.#byte()
  }
}
