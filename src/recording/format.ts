import { crc32 } from '../base/crc32.ts'

/** The format of a recording: docs/recording-format.md. All numbers are little-endian. */
export const formatVersion = { major: 2, minor: 0 }

/** The control characters show a file that was converted as text on its way. */
const fileMagic = Buffer.from('UTRACE\r\n', 'latin1')
export const fileHeaderBytes = 16

/** Readers skip types that they do not know. */
export const chunkType = {
  /** JSON: `RecordingOrigin`. The first chunk. */
  origin: 1,
  /** JSON: an array of function records; the index of each is the number of records before it. */
  functions: 2,
  /** JSON: all modules so far. */
  modules: 3,
  /** JSON: processes and threads that are new or have a new name. */
  tasks: 4,
  /** Events that rebuild the calls that are open before the next chunk of events. */
  state: 5,
  events: 6,
  /** JSON: a note, at its place between chunks of events. */
  note: 7,
  /** JSON: `RecordingEnd`. The last chunk. */
  end: 8,
} as const

/** The payload is compressed as zlib does (RFC 1950). */
export const flagDeflated = 1

/** The sequence number of a recording's first chunk, unless it is a ring that has given up what came before. */
export const firstSequence = 1

const chunkMagic = 0x6b6e6843 // "Chnk"
export const chunkHeaderBytes = 44

/** More than any writer makes: what claims to be larger is damaged. */
export const largestPayloadBytes = 64 * 1024 * 1024

export interface ChunkHeader {
  readonly type: number
  readonly flags: number
  readonly payloadBytes: number
  readonly payloadCrc: number
  /** One more than that of the chunk before. */
  readonly sequence: number
  /** Of events, and their earliest and latest time; else 0. */
  readonly eventCount: number
  readonly minNs: number
  readonly maxNs: number
}

export function encodeFileHeader(): Uint8Array {
  const bytes = new Uint8Array(fileHeaderBytes)
  bytes.set(fileMagic)
  const view = new DataView(bytes.buffer)
  view.setUint16(8, formatVersion.major, true)
  view.setUint16(10, formatVersion.minor, true)
  view.setUint32(12, crc32(bytes.subarray(0, 12)), true)
  return bytes
}

/** @returns `foreign` for what is no recording, `damaged` for one whose header has changed */
export function decodeFileHeader(
  bytes: Uint8Array,
): { major: number; minor: number } | 'foreign' | 'damaged' {
  if (
    bytes.length === 0 ||
    !fileMagic.subarray(0, bytes.length).equals(bytes.subarray(0, fileMagic.length))
  ) {
    return 'foreign'
  }
  if (bytes.length < fileHeaderBytes) return 'damaged'
  const view = new DataView(bytes.buffer, bytes.byteOffset, fileHeaderBytes)
  if (view.getUint32(12, true) !== crc32(bytes.subarray(0, 12))) return 'damaged'
  return { major: view.getUint16(8, true), minor: view.getUint16(10, true) }
}

/** Writes a chunk's header into the first bytes of `to`. */
export function encodeChunkHeader(to: Uint8Array, header: ChunkHeader): void {
  const view = new DataView(to.buffer, to.byteOffset, chunkHeaderBytes)
  view.setUint32(0, chunkMagic, true)
  view.setUint16(4, header.type, true)
  view.setUint16(6, header.flags, true)
  view.setUint32(8, header.payloadBytes, true)
  view.setUint32(12, header.payloadCrc, true)
  view.setUint32(16, header.sequence, true)
  view.setUint32(20, header.eventCount, true)
  view.setFloat64(24, header.minNs, true)
  view.setFloat64(32, header.maxNs, true)
  view.setUint32(40, crc32(to.subarray(0, 40)), true)
}

/** @returns undefined where there is no whole, undamaged header */
export function decodeChunkHeader(bytes: Uint8Array): ChunkHeader | undefined {
  if (bytes.length < chunkHeaderBytes) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, chunkHeaderBytes)
  if (view.getUint32(0, true) !== chunkMagic) return undefined
  if (view.getUint32(40, true) !== crc32(bytes.subarray(0, 40))) return undefined
  const payloadBytes = view.getUint32(8, true)
  if (payloadBytes > largestPayloadBytes) return undefined
  return {
    type: view.getUint16(4, true),
    flags: view.getUint16(6, true),
    payloadBytes,
    payloadCrc: view.getUint32(12, true),
    sequence: view.getUint32(16, true),
    eventCount: view.getUint32(20, true),
    minNs: view.getFloat64(24, true),
    maxNs: view.getFloat64(32, true),
  }
}
