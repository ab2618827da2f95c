import { deflateSync } from 'node:zlib'
import { crc32 } from '../base/crc32.ts'
import { chunkHeaderBytes, encodeChunkHeader, flagDeflated } from './format.ts'

/** Times and number of the events in a chunk. */
export interface EventSpan {
  readonly count: number
  readonly minNs: number
  readonly maxNs: number
}

const noEvents: EventSpan = { count: 0, minNs: 0, maxNs: 0 }
/** Less is not worth compressing. */
const smallJsonBytes = 256

/** Puts payloads into chunks: each is handed on as one piece. */
export class ChunkWriter {
  readonly #write: (chunk: Uint8Array) => void
  #buffer = new Uint8Array(64 * 1024)
  #sequence: number

  /**
   * @param write takes a chunk, which is overwritten afterwards
   * @param sequence number of the first chunk
   */
  constructor(write: (chunk: Uint8Array) => void, sequence: number) {
    this.#write = write
    this.#sequence = sequence
  }

  /** The number of the next chunk. */
  get sequence(): number {
    return this.#sequence
  }

  json(type: number, value: unknown): void {
    const plain = Buffer.from(JSON.stringify(value))
    if (plain.length < smallJsonBytes) this.#chunk(type, 0, plain, noEvents)
    else this.#chunk(type, flagDeflated, deflateSync(plain, { level: 1 }), noEvents)
  }

  events(type: number, payload: Uint8Array, span: EventSpan): void {
    this.#chunk(type, 0, payload, span)
  }

  #chunk(type: number, flags: number, payload: Uint8Array, span: EventSpan): void {
    const size = chunkHeaderBytes + payload.length
    if (this.#buffer.length < size) this.#buffer = new Uint8Array(size * 2)
    const chunk = this.#buffer.subarray(0, size)
    chunk.set(payload, chunkHeaderBytes)
    encodeChunkHeader(chunk, {
      type,
      flags,
      payloadBytes: payload.length,
      payloadCrc: crc32(payload),
      sequence: this.#sequence,
      eventCount: span.count,
      minNs: span.minNs,
      maxNs: span.maxNs,
    })
    this.#write(chunk)
    this.#sequence = (this.#sequence + 1) >>> 0
  }
}
