import { inflateSync } from 'node:zlib'
import type { ByteSource } from '../base/byte-source.ts'
import { crc32 } from '../base/crc32.ts'
import { readAheadBytes } from './event-decoder.ts'
import { flagDeflated, largestPayloadBytes } from './format.ts'
import type { StoredPayload } from './recording.ts'

/** Reads payloads one after the other through one buffer: each is valid until the next. */
export class PayloadReader {
  readonly #source: ByteSource
  #padded = new Uint8Array(512 * 1024)

  constructor(source: ByteSource) {
    this.#source = source
  }

  /**
   * The payload of a chunk, followed by `readAheadBytes` bytes of whatever.
   * @returns undefined where it is not what was written
   */
  read({ offset, header }: StoredPayload): { bytes: Uint8Array; length: number } | undefined {
    const { payloadBytes, payloadCrc, flags } = header
    const stored = this.#source.read(offset, payloadBytes)
    if (stored.length < payloadBytes || crc32(stored) !== payloadCrc) return undefined
    const plain = flags & flagDeflated ? inflate(stored) : stored
    if (plain === undefined) return undefined
    const size = plain.length + readAheadBytes
    if (this.#padded.length < size) this.#padded = new Uint8Array(size * 2)
    this.#padded.set(plain)
    return { bytes: this.#padded, length: plain.length }
  }

  /** A payload of JSON. @returns undefined where it is not what was written, or no JSON */
  json(payload: StoredPayload): { value: unknown } | undefined {
    const read = this.read(payload)
    if (read === undefined) return undefined
    try {
      return { value: JSON.parse(Buffer.from(read.bytes.buffer, 0, read.length).toString()) }
    } catch {
      return undefined
    }
  }
}

function inflate(bytes: Uint8Array): Uint8Array | undefined {
  try {
    return inflateSync(bytes, { maxOutputLength: largestPayloadBytes })
  } catch {
    return undefined
  }
}
