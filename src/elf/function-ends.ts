import { asVirtualAddress } from '../base/units.ts'
import { segmentAt } from './address.ts'
import type { LoadSegment } from './facts.ts'
import type { ElfImage } from './image.ts'
import type { SymbolTable } from './symbol-table.ts'
import { readUnwindTable, type UnwindTable } from './unwind-table.ts'

/** Where code ends whose symbol has no size. */
export class EndFinder {
  readonly #elf: ElfImage
  #segment: LoadSegment | undefined
  #unwind: UnwindTable | undefined

  constructor(elf: ElfImage) {
    this.#elf = elf
  }

  /** Of the bytes in the file, for an address that is known to lie in a segment. */
  segmentEnd(address: number): number {
    let segment = this.#segment
    if (!segment || address < segment.address || address >= segment.address + segment.fileSize) {
      segment = segmentAt(this.#elf.facts, address)!
      this.#segment = segment
    }
    return segment.address + segment.fileSize
  }

  find(address: number, table: SymbolTable, symbol: number, next: number | undefined): number {
    this.#unwind ??= readUnwindTable(this.#elf)
    const range = this.#unwind.lookup(asVirtualAddress(address))
    if (range?.address === address) return range.address + range.size
    const section = table.sections[table.sectionIndex(symbol)]
    const sectionEnd = section ? section.address + section.size : 0
    return Math.min(
      next ?? Number.POSITIVE_INFINITY,
      sectionEnd > address ? sectionEnd : Number.POSITIVE_INFINITY,
      this.segmentEnd(address),
    )
  }
}
