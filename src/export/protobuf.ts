const initialCapacity = 256
const encoder = new TextEncoder()

const varint = 0
const lengthDelimited = 2

/**
 * One message in the wire format of Protocol Buffers, built in a buffer that is used again after `clear`.
 * Integers are safe integers >= 0: the formats written here have no other.
 * Source: https://protobuf.dev/programming-guides/encoding/
 */
export class ProtobufMessage {
  #bytes = new Uint8Array(initialCapacity)
  #length = 0

  /** The message so far: valid until the next change. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  get length(): number {
    return this.#length
  }

  clear(): this {
    this.#length = 0
    return this
  }

  /** An integer, boolean or enumeration field. */
  integer(field: number, value: number): this {
    this.#varint(field * 8 + varint)
    this.#varint(value)
    return this
  }

  /** A uint64 field beyond what a double holds exactly. */
  bigInteger(field: number, value: bigint): this {
    this.#varint(field * 8 + varint)
    let rest = BigInt.asUintN(64, value)
    this.#reserve(10)
    for (; rest >= 0x80n; rest >>= 7n) this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80
    this.#bytes[this.#length++] = Number(rest)
    return this
  }

  /** A string field in UTF-8: half a surrogate pair, which UTF-8 cannot carry, becomes U+FFFD. */
  string(field: number, text: string): this {
    return this.#delimited(field, encoder.encode(text))
  }

  /** An embedded message. */
  message(field: number, message: ProtobufMessage): this {
    return this.#delimited(field, message.bytes)
  }

  /** A repeated integer field in packed form. */
  packed(field: number, values: Iterable<number>): this {
    const content = new ProtobufMessage()
    for (const value of values) content.#varint(value)
    return this.message(field, content)
  }

  #delimited(field: number, content: Uint8Array): this {
    this.#varint(field * 8 + lengthDelimited)
    this.#varint(content.length)
    this.#reserve(content.length)
    this.#bytes.set(content, this.#length)
    this.#length += content.length
    return this
  }

  #varint(value: number): void {
    this.#reserve(10)
    // Beyond 31 bits the bit operators of JavaScript do not reach.
    for (; value > 0x7fffffff; value = Math.floor(value / 128))
      this.#bytes[this.#length++] = (value % 128) | 0x80
    for (; value > 0x7f; value >>>= 7) this.#bytes[this.#length++] = (value & 0x7f) | 0x80
    this.#bytes[this.#length++] = value
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + size))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }
}
