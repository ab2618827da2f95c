import type { ByteReader } from '../base/byte-reader.ts'

/** No value is there at all. */
export const DW_EH_PE_omit = 0xff

const DW_EH_PE_indirect = 0x80

export interface PointerBases {
  /** Address of the first byte that the reader has: what `DW_EH_PE_pcrel` values are counted from. */
  readonly section: number
  /** What `DW_EH_PE_datarel` values are counted from. */
  readonly data: number
}

/**
 * Reads a pointer in one of the encodings of the exception-handling tables (Linux Standard Base, "DWARF Exception
 * Header Encoding"): the low four bits are the format, the next three what it is relative to.
 * @returns undefined for an encoding that has no meaning here (indirect, text-relative, aligned) and at the end
 */
export function readPointer(fields: ByteReader, encoding: number, bases: PointerBases): number | undefined {
  if (encoding === DW_EH_PE_omit || (encoding & DW_EH_PE_indirect) !== 0) return undefined
  const place = bases.section + fields.offset
  const value = readFormat(fields, encoding & 0x0f)
  if (value === undefined || fields.overrun) return undefined
  switch (encoding & 0x70) {
    case 0x00:
      return value
    case 0x10:
      return value + place
    case 0x30:
      return value + bases.data
    default:
      return undefined
  }
}

function readFormat(fields: ByteReader, format: number): number | undefined {
  switch (format) {
    case 0x00:
    case 0x04:
      return fields.u64()
    case 0x01:
      return fields.uleb()
    case 0x02:
      return fields.u16()
    case 0x03:
      return fields.u32()
    case 0x09:
      return fields.sleb()
    case 0x0a:
      return fields.i16()
    case 0x0b:
      return fields.i32()
    case 0x0c:
      return fields.i64()
    default:
      return undefined
  }
}

/** Bytes of an encoded pointer, where every value takes as many. */
export function fixedSize(encoding: number): number | undefined {
  return ({ 0: 8, 2: 2, 3: 4, 4: 8, 10: 2, 11: 4, 12: 8 } as Record<number, number>)[encoding & 0x0f]
}
