import * as zlib from 'node:zlib'

/** CRC-32 as in zlib, gzip and PNG (RFC 1952, section 8): reflected polynomial 0xedb88320. */
const polynomial = 0xedb88320
/** `tables[k][b]`: what byte b contributes when k more bytes follow it in a group of eight. */
const tables = createTables()

function createTables(): readonly Uint32Array[] {
  const made = Array.from({ length: 8 }, () => new Uint32Array(256))
  for (let byte = 0; byte < 256; byte++) {
    let value = byte
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1
    made[0]![byte] = value
  }
  for (let byte = 0; byte < 256; byte++) {
    for (let k = 1; k < 8; k++) {
      const before = made[k - 1]![byte]!
      made[k]![byte] = (before >>> 8) ^ made[0]![before & 255]!
    }
  }
  return made
}

/** Absent before Node 20.15. */
const ofZlib: ((bytes: Uint8Array, previous?: number) => number) | undefined = zlib.crc32

/**
 * The checksum of `bytes`.
 * @param previous the checksum of what comes before them
 */
export const crc32 = ofZlib ?? ownCrc32

/** The same in JavaScript, eight bytes at a time. */
export function ownCrc32(bytes: Uint8Array, previous = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as unknown as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ]
  let crc = ~previous
  let index = 0
  const groups = bytes.length - (bytes.length % 8)
  for (; index < groups; index += 8) {
    crc =
      t7[(crc ^ bytes[index]!) & 255]! ^
      t6[((crc >>> 8) ^ bytes[index + 1]!) & 255]! ^
      t5[((crc >>> 16) ^ bytes[index + 2]!) & 255]! ^
      t4[((crc >>> 24) ^ bytes[index + 3]!) & 255]! ^
      t3[bytes[index + 4]!]! ^
      t2[bytes[index + 5]!]! ^
      t1[bytes[index + 6]!]! ^
      t0[bytes[index + 7]!]!
  }
  for (; index < bytes.length; index++) crc = (crc >>> 8) ^ t0[(crc ^ bytes[index]!) & 255]!
  return ~crc >>> 0
}
