import type { Candidate } from './entry-block.ts'

export interface PlacementNeeds {
  /** A return probe reads and replaces the return address at the stack pointer: nothing may be pushed yet. */
  readonly entryStackPointer: boolean
  /**
   * Offset from which on a candidate may be reached other than through the function's first instruction: the first
   * branch target or symbol behind it. Infinity if there is none.
   */
  readonly before: number
  /** The function holds a jump whose targets are not in its code: only a `push` is out of their reach. */
  readonly hiddenJumps: boolean
  /** Whether the kernel makes a call of a nop at this offset, so that it needs no trap. */
  readonly optimisesNopAt: (offset: number) => boolean
  /** Take the first instruction, whatever it costs. */
  readonly firstOnly: boolean
}

const preference = { everywhere: 3, recent: 2, stepped: 1, refused: 0 }

/**
 * The cheapest instruction at which every call is counted exactly once: a nop that becomes a call, then emulated by all
 * kernels, then by newer ones, then
 * single-stepped; among equals the first. Undefined where the kernel refuses every one of them.
 *
 * A `push` stays eligible in the presence of hidden jumps (jump tables): a loop that ran through it would lower the stack
 * pointer each round, which no frame layout allows.
 */
export function chooseEntry(candidates: readonly Candidate[], needs: PlacementNeeds): Candidate | undefined {
  let best: Candidate | undefined
  const rank = ({ isNop5, offset, emulation }: Candidate) =>
    isNop5 && emulation !== 'refused' && needs.optimisesNopAt(offset) ? 4 : preference[emulation]
  for (const candidate of candidates) {
    const isFirst = candidate.offset === 0
    if (!isFirst && (needs.firstOnly || candidate.offset >= needs.before)) break
    if (candidate.emulation === 'refused') continue
    if (needs.entryStackPointer && candidate.stackDisplacement !== 0) break
    if (!isFirst && needs.hiddenJumps && !candidate.isPush) continue
    if (best === undefined || rank(candidate) > rank(best)) best = candidate
  }
  return best
}
