import { asFileOffset, asVirtualAddress, type FileOffset, type VirtualAddress } from '../base/units.ts'
import type { LoadSegment } from './facts.ts'

interface Segments {
  readonly segments: readonly LoadSegment[]
}

/** The segment whose bytes in the file appear at an address. */
export function segmentAt(facts: Segments, address: number): LoadSegment | undefined {
  return facts.segments.find(
    (segment) => address >= segment.address && address < segment.address + segment.fileSize,
  )
}

/**
 * Where the byte at an address lies in the file; undefined in `.bss` and outside of all segments. Goes through the
 * `PT_LOAD` headers, since address minus offset differs from segment to segment in most layouts.
 */
export function addressToFileOffset(facts: Segments, address: VirtualAddress): FileOffset | undefined {
  const segment = segmentAt(facts, address)
  return segment && asFileOffset(address - segment.address + segment.fileOffset)
}

/**
 * The address at which a byte of the file appears. Where linkers map one page of the file twice (the last of the
 * code and the first of the data), the executable mapping is meant.
 */
export function fileOffsetToAddress(facts: Segments, offset: FileOffset): VirtualAddress | undefined {
  const candidates = facts.segments.filter(
    (segment) => offset >= segment.fileOffset && offset < segment.fileOffset + segment.fileSize,
  )
  const segment = candidates.find((candidate) => candidate.executable) ?? candidates[0]
  return segment && asVirtualAddress(offset - segment.fileOffset + segment.address)
}
