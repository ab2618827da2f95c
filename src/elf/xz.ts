import { ByteReader } from '../base/byte-reader.ts'
import { crc32 } from '../base/crc32.ts'
import { Lzma2Decoder, LzmaError } from './lzma2.ts'

const HEADER_MAGIC = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])
const FOOTER_MAGIC = 0x5a59
const FOOTER_SIZE = 12
const FILTER_LZMA2 = 0x21
/** Bytes of the check behind each block, by the type in the stream flags (section 2.1.1.2). */
const CHECK_SIZES = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64]

/**
 * Decompresses one xz stream (The .xz File Format 1.1.0, tukaani.org), as `.gnu_debugdata` holds it: LZMA2 without
 * further filters. Sizes are taken from the index before anything is decoded. The checks behind the blocks are not
 * computed: what comes out is read as an untrusted file anyway.
 * @returns undefined where it is something else, damaged, or decompresses to more than `maxBytes`
 */
export function decompressXz(bytes: Uint8Array, maxBytes: number): Uint8Array | undefined {
  const flags = streamFlags(bytes)
  const blocks = flags === undefined ? undefined : readIndex(bytes)
  if (flags === undefined || blocks === undefined) return undefined
  const total = blocks.reduce((sum, block) => sum + block.uncompressedSize, 0)
  if (total > maxBytes) return undefined
  const output = new Uint8Array(total)
  let at = FOOTER_SIZE
  let written = 0
  try {
    for (const { unpaddedSize, uncompressedSize } of blocks) {
      const data = blockDataAt(bytes, at)
      if (data === undefined) return undefined
      const ends = new Lzma2Decoder(
        bytes,
        data,
        output.subarray(0, written + uncompressedSize),
        written,
      ).run()
      written += uncompressedSize
      if (ends.written !== written || ends.at + CHECK_SIZES[flags & 15]! !== at + unpaddedSize)
        return undefined
      at += align4(unpaddedSize)
    }
  } catch (error) {
    if (error instanceof LzmaError) return undefined
    throw error
  }
  return output
}

const align4 = (value: number) => value + ((4 - (value % 4)) % 4)

/** The flags of the stream header, which the footer repeats; undefined for what is no whole xz stream. */
function streamFlags(bytes: Uint8Array): number | undefined {
  if (bytes.length < 2 * FOOTER_SIZE || !HEADER_MAGIC.equals(bytes.subarray(0, 6))) return undefined
  const header = new ByteReader(bytes, 6)
  const footer = new ByteReader(bytes, bytes.length - FOOTER_SIZE + 8)
  const reserved = header.u8()
  const flags = header.u8()
  const isWhole =
    header.u32() === crc32(bytes.subarray(6, 8)) &&
    footer.u8() === reserved &&
    footer.u8() === flags &&
    footer.u16() === FOOTER_MAGIC
  return isWhole && reserved === 0 && flags < CHECK_SIZES.length ? flags : undefined
}

interface BlockSizes {
  /** Header, data and check, without the padding to a multiple of four. */
  readonly unpaddedSize: number
  readonly uncompressedSize: number
}

function readIndex(bytes: Uint8Array): BlockSizes[] | undefined {
  const footer = new ByteReader(bytes, bytes.length - FOOTER_SIZE)
  const footerSum = footer.u32()
  if (footerSum !== crc32(bytes.subarray(footer.offset, footer.offset + 6))) return undefined
  const size = (footer.u32() + 1) * 4
  const start = bytes.length - FOOTER_SIZE - size
  if (start < FOOTER_SIZE) return undefined
  const index = bytes.subarray(start, start + size - 4)
  if (new ByteReader(bytes, start + size - 4).u32() !== crc32(index)) return undefined
  const fields = new ByteReader(index)
  if (fields.u8() !== 0) return undefined
  const count = fields.uleb()
  if (count > fields.remaining / 2) return undefined
  const blocks = Array.from({ length: count }, () => ({
    unpaddedSize: fields.uleb(),
    uncompressedSize: fields.uleb(),
  }))
  return fields.overrun ? undefined : blocks
}

/** Where the compressed data of the block at an offset starts; undefined for other filters than LZMA2. */
function blockDataAt(bytes: Uint8Array, at: number): number | undefined {
  const size = ((bytes[at] ?? 0) + 1) * 4
  const header = bytes.subarray(at, at + size - 4)
  const fields = new ByteReader(header, 1)
  if (new ByteReader(bytes, at + size - 4).u32() !== crc32(header)) return undefined
  const flags = fields.u8()
  const filterCount = (flags & 3) + 1
  if (flags & 0x40) fields.uleb()
  if (flags & 0x80) fields.uleb()
  const filter = fields.uleb()
  return filterCount === 1 && filter === FILTER_LZMA2 && !fields.overrun ? at + size : undefined
}
