import { ByteReader } from '../base/byte-reader.ts'
import type { ElfImage } from './image.ts'
import { DW_EH_PE_omit, fixedSize, readPointer } from './pointer-encoding.ts'
import { wordsOf } from './words.ts'

/** Starts of unwind ranges in ascending order, each with the address of its entry in `.eh_frame`. */
export interface SearchTable {
  readonly count: number
  start(index: number): number
  frame(index: number): number
}

const DATAREL_SDATA4 = 0x3b

/**
 * Reads `.eh_frame_hdr` (Linux Standard Base, "The .eh_frame_hdr section").
 * @returns undefined for an unknown version or a damaged header; no `table` where the header carries none
 */
export function readSearchTable(
  elf: ElfImage,
  address: number,
  size: number,
): { frameAddress: number; table: SearchTable | undefined } | undefined {
  const bytes = elf.bytesAt(address, size)
  const fields = new ByteReader(bytes)
  const version = fields.u8()
  const frameEncoding = fields.u8()
  const countEncoding = fields.u8()
  const tableEncoding = fields.u8()
  const bases = { section: address, data: address }
  const frameAddress = readPointer(fields, frameEncoding, bases)
  if (version !== 1 || frameAddress === undefined) return undefined
  if (countEncoding === DW_EH_PE_omit || tableEncoding === DW_EH_PE_omit)
    return { frameAddress, table: undefined }
  const count = readPointer(fields, countEncoding, bases)
  const width = fixedSize(tableEncoding)
  if (count === undefined || width === undefined) return { frameAddress, table: undefined }

  const entries = Math.min(count, Math.floor(fields.remaining / (2 * width)))
  if (tableEncoding === DATAREL_SDATA4) {
    const words = wordsOf(bytes.subarray(fields.offset, fields.offset + entries * 8))
    return {
      frameAddress,
      table: {
        count: entries,
        start: (index) => (words[index * 2]! | 0) + address,
        frame: (index) => (words[index * 2 + 1]! | 0) + address,
      },
    }
  }
  const starts = new Float64Array(entries)
  const frames = new Float64Array(entries)
  for (let index = 0; index < entries; index++) {
    starts[index] = readPointer(fields, tableEncoding, bases) ?? 0
    frames[index] = readPointer(fields, tableEncoding, bases) ?? 0
  }
  return {
    frameAddress,
    table: { count: entries, start: (index) => starts[index]!, frame: (index) => frames[index]! },
  }
}
