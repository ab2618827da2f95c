/** A field as the wire format has it: an integer, or bytes of a string, message or packed list. */
type WireField =
  | { readonly field: number; readonly kind: 'integer'; readonly value: bigint }
  | { readonly field: number; readonly kind: 'bytes'; readonly bytes: Uint8Array }

/**
 * Reads one message of Protocol Buffers, knowing nothing of how it was written.
 * Source: https://protobuf.dev/programming-guides/encoding/
 * @throws Error where the bytes are not a message of integers and length-delimited fields
 */
function decodeMessage(bytes: Uint8Array): WireField[] {
  const fields: WireField[] = []
  let offset = 0
  const varint = () => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[offset++]
      if (byte === undefined || shift > 63n) throw new Error(`bad varint before byte ${offset}`)
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  while (offset < bytes.length) {
    const key = Number(varint())
    const field = Math.floor(key / 8)
    if (key % 8 === 0) fields.push({ field, kind: 'integer', value: varint() })
    else if (key % 8 === 2) {
      const size = Number(varint())
      if (offset + size > bytes.length) throw new Error(`field ${field} reaches beyond the message`)
      fields.push({ field, kind: 'bytes', bytes: bytes.subarray(offset, offset + size) })
      offset += size
    } else throw new Error(`wire type ${key % 8} of field ${field}`)
  }
  return fields
}

/** A decoded message by field numbers. */
export class DecodedMessage {
  readonly #fields: readonly WireField[]

  constructor(bytes: Uint8Array) {
    this.#fields = decodeMessage(bytes)
  }

  integer(field: number): number | undefined {
    const found = this.#fields.find((item) => item.field === field)
    if (found === undefined) return undefined
    if (found.kind !== 'integer') throw new Error(`field ${field} is no integer`)
    return Number(found.value)
  }

  texts(field: number): string[] {
    return this.#bytes(field).map((bytes) => new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  }

  text(field: number): string | undefined {
    return this.texts(field)[0]
  }

  messages(field: number): DecodedMessage[] {
    return this.#bytes(field).map((bytes) => new DecodedMessage(bytes))
  }

  message(field: number): DecodedMessage | undefined {
    return this.messages(field)[0]
  }

  packed(field: number): number[] {
    return this.#bytes(field).flatMap((bytes) => {
      const values: number[] = []
      let value = 0
      let scale = 1
      for (const byte of bytes) {
        value += (byte & 0x7f) * scale
        scale *= 128
        if (byte >= 0x80) continue
        values.push(value)
        value = 0
        scale = 1
      }
      return values
    })
  }

  #bytes(field: number): Uint8Array[] {
    return this.#fields.flatMap((item) => (item.field === field && item.kind === 'bytes' ? [item.bytes] : []))
  }
}
