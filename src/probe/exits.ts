import type { VirtualAddress } from '../base/units.ts'
import { decodeCode } from './code-sweep.ts'

/** A piece of a function's code. */
export interface CodePart {
  readonly address: VirtualAddress
  readonly bytes: Uint8Array
}

interface Ret {
  readonly address: VirtualAddress
  readonly bytes: Uint8Array
}

export type Exits =
  | {
      readonly kind: 'known'
      /** Every near `ret` of the function and its parts; the stack pointer is at the return address there. */
      readonly rets: readonly Ret[]
      /** Addresses outside the function that it leaves for by a direct jump, or by running on over its end. */
      readonly tailJumps: readonly VirtualAddress[]
      /** It may leave by a jump through a register or memory: the jump is not one of a jump table, as far as can be told. */
      readonly indirectTailJumps: boolean
    }
  | { readonly kind: 'uncertain'; readonly reason: string }

export interface ExitContext {
  /** The part of the same function that holds an address outside of it: a `.cold` section. */
  readonly partAt: (address: VirtualAddress) => CodePart | undefined
  /**
   * The unwind table gives the function's exact bounds, so that all of them are a compiler's instructions. Without it
   * (assembler code), there may be data among them, and only what jumps lead to counts.
   */
  readonly exactBounds: boolean
}

const MAX_PARTS = 64
const MAX_PART_BYTES = 16 << 20

/**
 * Where a function can leave its frame, found by decoding the whole of it. Certain, or said not to be: a probe on bytes
 * that are not the start of an instruction would break the program.
 */
export function findExits(main: CodePart, context: ExitContext): Exits {
  const parts = [main]
  const rets: Ret[] = []
  const tailJumps = new Set<VirtualAddress>()
  let indirectTailJumps = false
  const partHolding = (address: number) =>
    parts.find((part) => address >= part.address && address < part.address + part.bytes.length)
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!
    if (part.bytes.length === 0) return uncertain('its size is not known')
    if (part.bytes.length > MAX_PART_BYTES) return uncertain('its code is larger than 16 MB')
    const decoded = decodeCode(part.bytes, context.exactBounds)
    if (typeof decoded === 'string') return uncertain(decoded)
    indirectTailJumps ||= decoded.indirectTailJumps
    for (const { offset, length } of decoded.rets) {
      const address = (part.address + offset) as VirtualAddress
      rets.push({ address, bytes: part.bytes.subarray(offset, offset + length) })
    }
    for (const offset of decoded.jumpsOut) {
      const target = (part.address + offset) as VirtualAddress
      if (partHolding(target) !== undefined) continue
      const next = context.partAt(target)
      if (next === undefined) tailJumps.add(target)
      else if (parts.length < MAX_PARTS) parts.push(next)
      else return uncertain('it has too many parts')
    }
  }
  return { kind: 'known', rets, tailJumps: [...tailJumps], indirectTailJumps }
}

const uncertain = (reason: string): Exits => ({ kind: 'uncertain', reason })
