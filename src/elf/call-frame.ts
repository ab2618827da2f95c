import { ByteReader } from '../base/byte-reader.ts'
import { type EntryRules, FrameRules } from './frame-rules.ts'
import { DW_EH_PE_omit, fixedSize, readPointer } from './pointer-encoding.ts'
import type { SearchTable } from './unwind-search-table.ts'

/** A frame description entry (FDE): a range of code, and whether it starts with its return address on top. */
export interface FrameDescription {
  readonly address: number
  readonly size: number
  readonly returnAddressOnTop: boolean
}

/** What the entries that share a common information entry (CIE) have in common. */
interface CommonInformation {
  readonly pointerEncoding: number
  readonly hasAugmentationData: boolean
  readonly isSignalFrame: boolean
  readonly rules: FrameRules
  readonly initial: EntryRules
}

/** The entries of `.eh_frame` (Linux Standard Base, "The .eh_frame section"; DWARF 5, section 6.4). */
export class CallFrameReader {
  readonly #bytes: Uint8Array
  readonly #address: number
  readonly #common = new Map<number, CommonInformation | undefined>()

  /** @param address where the first of the bytes lies */
  constructor(bytes: Uint8Array, address: number) {
    this.#bytes = bytes
    this.#address = address
  }

  /** The entry at an address; undefined where there is none that can be understood. */
  read(address: number): FrameDescription | undefined {
    const entry = this.#entry(address - this.#address)
    if (!entry || entry.id === 0) return undefined
    const common = this.#commonAt(entry.idOffset - entry.id)
    if (!common) return undefined
    const fields = entry.fields
    const bases = { section: this.#address, data: 0 }
    const start = readPointer(fields, common.pointerEncoding, bases)
    const size = readPointer(fields, common.pointerEncoding & 0x0f, bases)
    if (start === undefined || size === undefined || size < 0) return undefined
    if (common.hasAugmentationData) fields.skip(fields.uleb())
    if (fields.overrun) return undefined
    const rules = common.rules.run(fields, common.initial)
    return {
      address: start,
      size,
      returnAddressOnTop:
        !common.isSignalFrame && rules !== undefined && common.rules.isReturnAddressOnTop(rules),
    }
  }

  /** A search table made by reading all entries one after the other. */
  scan(): SearchTable {
    const found: { start: number; frame: number }[] = []
    for (let offset = 0; ; ) {
      const entry = this.#entry(offset)
      if (!entry) break
      const start = entry.id === 0 ? undefined : this.read(this.#address + offset)?.address
      if (start !== undefined) found.push({ start, frame: this.#address + offset })
      offset = entry.end
    }
    found.sort((a, b) => a.start - b.start)
    return {
      count: found.length,
      start: (index) => found[index]!.start,
      frame: (index) => found[index]!.frame,
    }
  }

  /** Length and id of the entry at an offset, and a reader of the rest that ends with the entry. */
  #entry(offset: number): { id: number; idOffset: number; end: number; fields: ByteReader } | undefined {
    if (!(offset >= 0 && offset < this.#bytes.length)) return undefined
    const head = new ByteReader(this.#bytes, offset)
    let length = head.u32()
    if (length === 0xffffffff) length = head.u64()
    const idOffset = head.offset
    const end = idOffset + length
    // A length of 0 ends the section.
    if (length < 4 || end > this.#bytes.length) return undefined
    const fields = new ByteReader(this.#bytes.subarray(0, end), idOffset)
    return { id: fields.u32(), idOffset, end, fields }
  }

  #commonAt(offset: number): CommonInformation | undefined {
    if (!this.#common.has(offset)) this.#common.set(offset, this.#readCommon(offset))
    return this.#common.get(offset)
  }

  #readCommon(offset: number): CommonInformation | undefined {
    const entry = this.#entry(offset)
    if (entry?.id !== 0) return undefined
    const fields = entry.fields
    const version = fields.u8()
    if (version !== 1 && version !== 3) return undefined
    const augmentation = fields.cstring()
    fields.uleb()
    const dataAlignment = fields.sleb()
    const returnAddressRegister = version === 1 ? fields.u8() : fields.uleb()
    const augmented = readAugmentation(fields, augmentation, this.#address)
    if (!augmented || fields.overrun) return undefined
    const rules = new FrameRules(dataAlignment, returnAddressRegister)
    const initial = rules.run(fields, undefined)
    return initial && { ...augmented, rules, initial }
  }
}

/** Reads the augmentation data that the letters of the augmentation string announce; undefined for unknown letters. */
function readAugmentation(
  fields: ByteReader,
  augmentation: string,
  sectionAddress: number,
): Pick<CommonInformation, 'pointerEncoding' | 'hasAugmentationData' | 'isSignalFrame'> | undefined {
  let pointerEncoding = 0
  let isSignalFrame = false
  if (augmentation === '') return { pointerEncoding, hasAugmentationData: false, isSignalFrame }
  if (augmentation[0] !== 'z') return undefined
  const size = fields.uleb()
  const end = fields.offset + size
  for (const letter of augmentation.slice(1)) {
    if (letter === 'R') pointerEncoding = fields.u8()
    else if (letter === 'P') skipPersonality(fields, sectionAddress)
    else if (letter === 'L') fields.skip(1)
    else if (letter === 'S') isSignalFrame = true
    else if (letter !== 'B') return undefined
  }
  if (fields.offset > end) return undefined
  fields.offset = end
  return { pointerEncoding, hasAugmentationData: true, isSignalFrame }
}

function skipPersonality(fields: ByteReader, sectionAddress: number): void {
  const encoding = fields.u8()
  if (encoding === DW_EH_PE_omit) return
  const size = fixedSize(encoding)
  if (size !== undefined) fields.skip(size)
  else readPointer(fields, encoding & 0x0f, { section: sectionAddress, data: 0 })
}
