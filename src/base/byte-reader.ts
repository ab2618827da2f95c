/**
 * Reads little-endian fields one after the other from untrusted bytes. A read beyond the end yields 0 and sets
 * `overrun`, so that a parser checks once per record instead of at each field and needs no exceptions.
 */
export class ByteReader {
  readonly bytes: Uint8Array
  readonly #view: DataView
  offset: number
  /** A field lay outside the bytes: what was read since is not to be believed. */
  overrun = false

  constructor(bytes: Uint8Array, offset = 0) {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.offset = offset
  }

  get remaining(): number {
    return Math.max(0, this.bytes.length - this.offset)
  }

  #take(size: number): number {
    const start = this.offset
    if (start < 0 || start + size > this.bytes.length) {
      this.overrun = true
      this.offset = this.bytes.length
      return -1
    }
    this.offset = start + size
    return start
  }

  skip(size: number): void {
    this.#take(size)
  }

  u8(): number {
    const at = this.#take(1)
    return at < 0 ? 0 : this.#view.getUint8(at)
  }

  u16(): number {
    const at = this.#take(2)
    return at < 0 ? 0 : this.#view.getUint16(at, true)
  }

  i16(): number {
    return (this.u16() << 16) >> 16
  }

  u32(): number {
    const at = this.#take(4)
    return at < 0 ? 0 : this.#view.getUint32(at, true)
  }

  i32(): number {
    return this.u32() | 0
  }

  /** Exact below 2^53; above, rounded, and so still recognizably too large for a user-space address. */
  u64(): number {
    const at = this.#take(8)
    return at < 0 ? 0 : this.#view.getUint32(at, true) + this.#view.getUint32(at + 4, true) * 0x1_0000_0000
  }

  /** Exact between -2^53 and 2^53. */
  i64(): number {
    const at = this.#take(8)
    return at < 0 ? 0 : this.#view.getUint32(at, true) + this.#view.getInt32(at + 4, true) * 0x1_0000_0000
  }

  /** Unsigned LEB128 (DWARF 5, section 7.6), exact below 2^53. More than ten bytes are an overrun. */
  uleb(): number {
    return this.#leb(false)
  }

  /** Signed LEB128. */
  sleb(): number {
    return this.#leb(true)
  }

  #leb(signed: boolean): number {
    let value = 0
    let scale = 1
    for (let count = 0; count < 10; count++) {
      const byte = this.u8()
      value += (byte & 0x7f) * scale
      scale *= 128
      if (byte < 0x80) return signed && byte & 0x40 ? value - scale : value
    }
    this.overrun = true
    return 0
  }

  /** A NUL-terminated string of at most 255 single-byte characters; without its NUL it is an overrun. */
  cstring(): string {
    let text = ''
    while (text.length < 256) {
      const byte = this.u8()
      if (byte === 0) return this.overrun ? '' : text
      text += String.fromCharCode(byte)
    }
    this.overrun = true
    return ''
  }
}
