import type { VirtualAddress } from '../base/units.ts'
import { decodeCode, type FlowChange } from './code-sweep.ts'
import { waysToRet } from './ways-to-ret.ts'

/** A piece of a function's code. */
export interface CodePart {
  readonly address: VirtualAddress
  readonly bytes: Uint8Array
}

/** An instruction by which a function can leave its frame; the stack pointer is at the return address there. */
export interface Exit {
  readonly address: VirtualAddress
  readonly bytes: Uint8Array
}

export interface Ret extends Exit {
  /** Jumps that may be probed in its place, all of them: see `waysToRet`. */
  readonly ways: readonly JumpToRet[] | undefined
}

export interface JumpToRet extends Exit {
  readonly condition: number | undefined
  readonly stackDisplacement: number
}

/** An exit by a jump to other code, which then runs in the function's place. */
export interface TailJump extends Exit {
  /** Undefined for a jump through a register or memory. */
  readonly target: VirtualAddress | undefined
  /** Only taken on a condition: otherwise the function goes on. */
  readonly conditional: boolean
}

export type Exits =
  | {
      readonly kind: 'known'
      /** Every near `ret` of the function and its parts. */
      readonly rets: readonly Ret[]
      /** Jumps out of it. Those through registers or memory are not of a jump table, as far as can be told. */
      readonly tailJumps: readonly TailJump[]
      /** Where it runs on over its end, into the code behind it. */
      readonly runsOnInto: readonly VirtualAddress[]
      /** It jumps back to its own first instruction: an entry probe counts every turn. */
      readonly loopsToEntry: boolean
      /** It jumps through registers or tables: any of these jumps could, after all, lead out of it. */
      readonly hiddenJumps: boolean
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
  const rets: Exit[] = []
  let changes: readonly FlowChange[] | undefined
  const tailJumps: TailJump[] = []
  const runsOnInto: VirtualAddress[] = []
  let loopsToEntry = false
  let hiddenJumps = false
  const isInside = (address: number) =>
    parts.some((part) => address >= part.address && address < part.address + part.bytes.length)
  /** Whether an address is in another part of the function, which is then looked through too. */
  const leadsToPart = (address: VirtualAddress) => {
    if (isInside(address)) return true
    const next = context.partAt(address)
    if (next !== undefined) parts.push(next)
    return next !== undefined
  }
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!
    if (parts.length > MAX_PARTS) return uncertain('it has too many parts')
    if (part.bytes.length === 0) return uncertain('its size is not known')
    if (part.bytes.length > MAX_PART_BYTES) return uncertain('its code is larger than 16 MB')
    const decoded = decodeCode(part.bytes, context.exactBounds)
    if (typeof decoded === 'string') return uncertain(decoded)
    const addressOf = (offset: number) => (part.address + offset) as VirtualAddress
    const exitAt = ({ offset, length }: { offset: number; length: number }): Exit => ({
      address: addressOf(offset),
      bytes: part.bytes.subarray(offset, offset + length),
    })
    hiddenJumps ||= decoded.hiddenJumps
    if (decoded.targets.has(main.address - part.address)) loopsToEntry = true
    rets.push(...decoded.rets.map(exitAt))
    changes = decoded.changes
    for (const jump of decoded.indirectTailJumps) {
      tailJumps.push({ ...exitAt(jump), target: undefined, conditional: false })
    }
    for (const jump of decoded.jumpsOut) {
      const target = addressOf(jump.target)
      if (target === main.address) loopsToEntry = true
      if (!leadsToPart(target)) tailJumps.push({ ...exitAt(jump), target, conditional: jump.conditional })
    }
    const end = addressOf(part.bytes.length)
    if (decoded.runsOn && !leadsToPart(end)) runsOnInto.push(end)
  }
  // What may jump into it from elsewhere is not known where it has other parts, or jumps through tables.
  const isWhole = parts.length === 1 && context.exactBounds && !hiddenJumps && !loopsToEntry
  const withWays = (ret: Exit): Ret => ({ ...ret, ways: isWhole ? jumpsTo(ret, main, changes) : undefined })
  return { kind: 'known', rets: rets.map(withWays), tailJumps, runsOnInto, loopsToEntry, hiddenJumps }
}

function jumpsTo(ret: Exit, { address, bytes }: CodePart, changes: readonly FlowChange[] | undefined) {
  const ways = changes && waysToRet(bytes, changes, ret.address - address)
  return ways?.map(
    ({ offset, length, ...way }): JumpToRet => ({
      ...way,
      address: (address + offset) as VirtualAddress,
      bytes: bytes.subarray(offset, offset + length),
    }),
  )
}

const uncertain = (reason: string): Exits => ({ kind: 'uncertain', reason })
