import type { VirtualAddress } from '../base/units.ts'
import type { QuietRange } from './jump-scan.ts'
import type { ModuleCode } from './module-code.ts'

/** A switch with more cases would be as large as a program. */
const MAX_ENTRIES = 1 << 16
/** Functions that take more addresses are interpreters and parsers, which begin with a push anyway. */
const MAX_ADDRESSES = 512
const ENTRY_BYTES = 4
const READ_BYTES = 4096

/**
 * Whether a jump through a register or a table of this function could lead into a range of its code. In code that runs
 * at any address such a jump finds its target in one of three ways, and all of them can be looked through:
 * - a pointer that the dynamic linker fills in (tables of labels, of functions);
 * - an address that the function computes: `lea reg, [rip + displacement]`;
 * - an entry of a table of 32-bit distances, which it adds to such an address: how compilers write a `switch`.
 */
export function mayJumpInto(
  { first, last }: QuietRange,
  body: { readonly address: VirtualAddress; readonly bytes: Uint8Array },
  code: ModuleCode,
): boolean {
  const { pointers } = code
  // At a fixed address any number may be one.
  if (pointers === undefined) return true
  if (pointers.pointsInto(first, last)) return true
  const addresses = addressesTaken(body.bytes, body.address)
  if (addresses.length > MAX_ADDRESSES) return true
  if (addresses.some((address) => address >= first && address <= last)) return true
  const bases = addresses.filter((address) => pointers.isCode(address))
  const tables = addresses.filter((address) => !pointers.isCode(address) && address % ENTRY_BYTES === 0)
  return tables.some((table) =>
    [table, ...bases].some((base) => tableLeadsInto(table, base, first, last, code)),
  )
}

/** Where `lea reg, [rip + displacement]` could lead, read at any offset: a superset. */
function addressesTaken(bytes: Uint8Array, start: VirtualAddress): number[] {
  const found = new Set<number>()
  for (let at = bytes.indexOf(0x8d); at >= 0 && at + 6 <= bytes.length; at = bytes.indexOf(0x8d, at + 1)) {
    if ((bytes[at + 1]! & 0xc7) === 5) found.add(start + at + 6 + int32At(bytes, at + 2))
  }
  return [...found]
}

/** Looks through a table as far as its entries, added to the base, are addresses of code. */
function tableLeadsInto(table: number, base: number, first: number, last: number, code: ModuleCode): boolean {
  for (let entry = 0; entry < MAX_ENTRIES; ) {
    const bytes = code.read((table + entry * ENTRY_BYTES) as VirtualAddress, READ_BYTES)
    if (bytes === undefined || bytes.length < ENTRY_BYTES) return false
    for (let at = 0; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES, entry++) {
      const target = base + int32At(bytes, at)
      if (target >= first && target <= last) return true
      if (!code.pointers!.isCode(target)) return false
    }
  }
  return true
}

const int32At = (bytes: Uint8Array, at: number) =>
  bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
