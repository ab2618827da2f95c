import type { VirtualAddress } from '../base/units.ts'

/** Addresses that nothing may jump to: from `first` to `last`, both included. */
export interface QuietRange {
  readonly first: VirtualAddress
  readonly last: VirtualAddress
}

export interface CodeRange {
  readonly address: VirtualAddress
  readonly size: number
}

/** Bytes that would be a jump's displacement into a quiet range, if a jump ends there. */
export interface PossibleJump {
  /** Address of the displacement's first byte. */
  readonly at: VirtualAddress
  readonly target: VirtualAddress
}

export type ReadCode = (address: VirtualAddress, size: number) => Uint8Array | undefined

/** One bit per byte of address space between the first and the last quiet range; wider modules are not scanned. */
const MAX_SPAN = 2 ** 30
const CHUNK_BYTES = 1 << 20
const PAGE_BYTES = 4096

/**
 * Finds every place in the code ranges where the bytes, read at any offset, could be a direct jump into a quiet range: a
 * superset of the true jumps, at a nanosecond or two per byte, where decoding all code would cost a hundred times that.
 * Undefined where the ranges lie too far apart to be scanned.
 */
export function findPossibleJumps(
  quiet: readonly QuietRange[],
  code: readonly CodeRange[],
  read: ReadCode,
): PossibleJump[] | undefined {
  if (quiet.length === 0) return []
  let base = Number.POSITIVE_INFINITY
  let end = 0
  for (const { first, last } of quiet) {
    base = Math.min(base, first)
    end = Math.max(end, last + 1)
  }
  const span = end - base
  if (span > MAX_SPAN) return undefined
  const bits = new Uint8Array((span >> 3) + 1)
  for (const { first, last } of quiet) {
    for (let i = first - base; i <= last - base; i++) bits[i >> 3]! |= 1 << (i & 7)
  }
  const found: PossibleJump[] = []
  for (const range of merge(code)) scanRange(range, read, bits, base, span, found)
  return found
}

function scanRange(
  range: CodeRange,
  read: ReadCode,
  bits: Uint8Array,
  base: number,
  span: number,
  found: PossibleJump[],
): void {
  for (let start = 0; start < range.size; ) {
    const address = (range.address + start) as VirtualAddress
    // Four bytes of overlap, so that no displacement is cut in two.
    const wanted = Math.min(CHUNK_BYTES + 4, range.size - start)
    const bytes = read(address, wanted) ?? new Uint8Array()
    scanBytes(bytes, address, bits, base, span, found)
    // Where a segment ends, the next one may begin at the next page.
    if (bytes.length === wanted) start += Math.min(wanted, CHUNK_BYTES)
    else start += bytes.length + PAGE_BYTES - ((address + bytes.length) % PAGE_BYTES)
  }
}

function scanBytes(
  bytes: Uint8Array,
  address: VirtualAddress,
  bits: Uint8Array,
  base: number,
  span: number,
  found: PossibleJump[],
): void {
  const hit = (at: number, target: number) => {
    if (target < 0 || target >= span || (bits[target >> 3]! & (1 << (target & 7))) === 0) return
    found.push({ at: (address + at) as VirtualAddress, target: (base + target) as VirtualAddress })
  }
  const origin = address - base
  let word = 0
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!
    word = (word >>> 8) | (byte << 24)
    const near = origin + i + 1 + word
    if (near >= 0 && near < span && i >= 3) hit(i - 3, near)
    const opcode = (word >>> 16) & 0xff
    // `70`…`7f`, `eb` and `e0`…`e3` (loop, jrcxz) take a one-byte displacement.
    if ((opcode & 0xf0) === 0x70 || opcode === 0xeb || (opcode & 0xfc) === 0xe0) {
      if (i >= 1) hit(i, origin + i + 1 + ((byte << 24) >> 24))
    }
  }
}

function merge(ranges: readonly CodeRange[]): CodeRange[] {
  const sorted = [...ranges].sort((a, b) => a.address - b.address)
  const merged: { address: VirtualAddress; size: number }[] = []
  for (const { address, size } of sorted) {
    const last = merged.at(-1)
    if (last !== undefined && address <= last.address + last.size) {
      last.size = Math.max(last.size, address + size - last.address)
    } else merged.push({ address, size })
  }
  return merged
}
