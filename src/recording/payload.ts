import { inflateSync } from 'node:zlib'
import type { ByteSource } from '../base/byte-source.ts'
import { crc32 } from '../base/crc32.ts'
import { readAheadBytes } from './event-decoder.ts'
import { flagDeflated, largestPayloadBytes } from './format.ts'
import type { StoredPayload } from './recording.ts'

/** Reads payloads one after the other: each is valid until something else is read. */
export class PayloadReader {
  readonly #source: ByteSource
  #padded = Buffer.alloc(512 * 1024)

  constructor(source: ByteSource) {
    this.#source = source
  }

  /**
   * The payload of a chunk, followed by `readAheadBytes` bytes of whatever.
   * @returns undefined where it is not what was written
   */
  read({ offset, header }: StoredPayload): { bytes: Uint8Array; length: number } | undefined {
    const { payloadBytes, payloadCrc, flags } = header
    const read = this.#source.read(offset, payloadBytes + readAheadBytes)
    const stored = read.subarray(0, payloadBytes)
    if (stored.length < payloadBytes || crc32(stored) !== payloadCrc) return undefined
    const isPlain = (flags & flagDeflated) === 0
    if (isPlain && read.length === payloadBytes + readAheadBytes) return { bytes: read, length: payloadBytes }
    const plain = isPlain ? stored : inflate(stored)
    if (plain === undefined) return undefined
    const size = plain.length + readAheadBytes
    if (this.#padded.length < size) this.#padded = Buffer.alloc(size * 2)
    this.#padded.set(plain)
    return { bytes: this.#padded, length: plain.length }
  }

  /** A payload of JSON. @returns undefined where it is not what was written, or no JSON */
  json(payload: StoredPayload): { value: unknown } | undefined {
    const read = this.read(payload)
    if (read === undefined) return undefined
    const { bytes, length } = read
    try {
      return { value: JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, length).toString()) }
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
