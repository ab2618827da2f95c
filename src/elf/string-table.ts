import { isAscii } from 'node:buffer'

/** Longer names are taken for damage: every look-up stays bounded, whatever the file says. */
const MAX_LENGTH = 65536
/** Most names end within these bytes, and a plain loop beats a call for them. */
const SHORT = 256

const AT_SIGN = 0x40

/** Half of the longest string that the JavaScript engine makes. */
const MAX_TEXT = 1 << 28

/** The NUL-terminated strings of a `SHT_STRTAB` section, or of `DT_STRTAB`. */
export class StringTable {
  readonly #bytes: Uint8Array
  /** All of it as one string, so that a name is a slice of it and costs no copy; undefined where bytes are not ASCII. */
  #text: string | undefined
  #ready = false

  constructor(bytes: Uint8Array) {
    // What has no end is no string.
    this.#bytes = bytes.subarray(0, bytes.lastIndexOf(0) + 1)
  }

  /** The string at a byte offset; undefined outside the table, without an end or longer than 64 KiB. */
  at(offset: number): string | undefined {
    const end = this.#end(offset)
    return end < 0 ? undefined : this.#slice(offset, end)
  }

  /** Whether a string that is not empty starts at an offset. */
  hasNameAt(offset: number): boolean {
    return (this.#bytes[offset] ?? 0) !== 0
  }

  /**
   * The name at an offset for which `hasNameAt`, up to the `@` that starts a version in names of `.symtab`
   * (`memcpy@GLIBC_2.14`), and never more than 64 KiB of it.
   */
  unversionedAt(offset: number): string {
    const bytes = this.#bytes
    const limit = Math.min(bytes.length, offset + MAX_LENGTH)
    let end = offset + 1
    while (end < limit && bytes[end] !== 0 && bytes[end] !== AT_SIGN) end++
    return this.#slice(offset, end)
  }

  /** Whether two offsets, the other one in another table, hold the same string. Says no beyond 255 bytes. */
  isSame(offset: number, other: StringTable, otherOffset: number): boolean {
    const a = this.#bytes
    const b = other.#bytes
    for (let at = 0; at < SHORT; at++) {
      const byte = a[offset + at]
      if (byte === undefined || byte !== b[otherOffset + at]) return false
      if (byte === 0) return true
    }
    return false
  }

  #end(offset: number): number {
    const bytes = this.#bytes
    if (offset < 0) return -1
    const soon = Math.min(bytes.length, offset + SHORT)
    for (let end = offset; end < soon; end++) if (bytes[end] === 0) return end
    if (soon >= bytes.length) return -1
    const length = bytes.subarray(soon, offset + MAX_LENGTH).indexOf(0)
    return length < 0 ? -1 : soon + length
  }

  #slice(start: number, end: number): string {
    if (!this.#ready) {
      this.#ready = true
      const buffer = Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength)
      if (buffer.length < MAX_TEXT && isAscii(buffer)) this.#text = buffer.toString('latin1')
    }
    if (this.#text !== undefined) return this.#text.substring(start, end)
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + start, end - start).toString('utf8')
  }
}
