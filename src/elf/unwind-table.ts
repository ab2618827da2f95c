import { asVirtualAddress, type VirtualAddress } from '../base/units.ts'
import { CallFrameReader } from './call-frame.ts'
import type { UnwindRange } from './facts.ts'
import type { ElfImage } from './image.ts'
import { PT_GNU_EH_FRAME } from './program-headers.ts'
import { readSearchTable, type SearchTable } from './unwind-search-table.ts'

/** What `.eh_frame` says of the functions of a file; empty where there is none. */
export interface UnwindTable {
  readonly isEmpty: boolean
  /** The range that an address lies in. */
  lookup(address: VirtualAddress): UnwindRange | undefined
  /** All ranges, by address. */
  ranges(): Iterable<UnwindRange>
}

/**
 * Finds `.eh_frame` as the unwinder does, through `PT_GNU_EH_FRAME` and its sorted table, and without one through
 * the section, which is then scanned once. Entries are read when they are asked for; damaged ones are as absent.
 */
export function readUnwindTable(elf: ElfImage): UnwindTable {
  const known = tablesByImage.get(elf)
  if (known) return known
  const table = findTable(elf)
  tablesByImage.set(elf, table)
  return table
}

/** Symbols, IFUNC resolvers and plans of one file all ask for its table. */
const tablesByImage = new WeakMap<ElfImage, UnwindTable>()

function findTable(elf: ElfImage): UnwindTable {
  const header = elf.programHeaders.find((candidate) => candidate.type === PT_GNU_EH_FRAME)
  const section = elf.sections.find((candidate) => candidate.name === '.eh_frame')
  const search = header && readSearchTable(elf, header.address, header.fileSize)
  if (search) {
    const size = section?.address === search.frameAddress ? section.size : Number.MAX_SAFE_INTEGER
    const frames = new CallFrameReader(elf.bytesAt(search.frameAddress, size), search.frameAddress)
    if (search.table) return tableOf(search.table, frames)
    return tableOf(frames.scan(), frames)
  }
  if (!section) return { isEmpty: true, lookup: () => undefined, ranges: () => [] }
  const frames = new CallFrameReader(elf.sectionBytes(section), section.address)
  return tableOf(frames.scan(), frames)
}

function tableOf(table: SearchTable, frames: CallFrameReader): UnwindTable {
  const rangeAt = (index: number): UnwindRange | undefined => {
    const frame = frames.read(table.frame(index))
    if (!frame || frame.address !== table.start(index)) return undefined
    return {
      address: asVirtualAddress(frame.address),
      size: frame.size,
      returnAddressOnTop: frame.returnAddressOnTop,
    }
  }
  return {
    isEmpty: table.count === 0,
    lookup(address) {
      const index = lastAtOrBelow(table, address)
      const range = index < 0 ? undefined : rangeAt(index)
      return range && address < range.address + range.size ? range : undefined
    },
    *ranges() {
      for (let index = 0; index < table.count; index++) {
        const range = rangeAt(index)
        if (range) yield range
      }
    },
  }
}

function lastAtOrBelow(table: SearchTable, address: number): number {
  let low = 0
  let high = table.count
  while (low < high) {
    const middle = (low + high) >>> 1
    if (table.start(middle) <= address) low = middle + 1
    else high = middle
  }
  return low - 1
}
