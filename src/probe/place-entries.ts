import type { VirtualAddress } from '../base/units.ts'
import { sweepCode } from './code-sweep.ts'
import { type Candidate, entryCandidates } from './entry-block.ts'
import { isColdPart } from './function-rules.ts'
import { mayJumpInto } from './hidden-jumps.ts'
import { type CodeRange, findPossibleJumps, type PossibleJump, type QuietRange } from './jump-scan.ts'
import { functionHolding, indexAtOrBefore, type ModuleCode, type PlacementMemory } from './module-code.ts'
import { chooseEntry, type PlacementNeeds } from './placement.ts'

export interface EntryRequest {
  readonly address: VirtualAddress
  readonly size: number
  /** The stack pointer must point at the return address: a return probe replaces it there. */
  readonly returnAddressOnTop: boolean
}

/** Bytes of a function in which an entry is looked for. */
const HEAD_BYTES = 192
/**
 * A jump from the neighbourhood: code of one assembler file may enter a function behind its first instruction, as glibc's
 * `mempcpy` does with `memmove`. Not all of that code has symbols.
 */
const NEIGHBOUR_BYTES = 4096

interface Draft {
  readonly request: EntryRequest
  readonly candidates: readonly Candidate[]
  needs: PlacementNeeds
  chosen: Candidate | undefined
  readonly isRemembered: boolean
}

/**
 * Chooses the instruction at which the calls of each function are counted; undefined where the kernel refuses all of
 * them. An instruction behind the first is taken only if no jump anywhere in the function, near it and in the cold
 * parts leads between the two.
 */
export function placeEntries(
  requests: readonly EntryRequest[],
  code: ModuleCode,
  firstOnly: boolean,
): (Candidate | undefined)[] {
  const memory = firstOnly ? undefined : code.placements
  const drafts = requests.map((request) => draftEntry(request, code, firstOnly, memory))
  const moved = drafts.filter((draft) => !draft.isRemembered && (draft.chosen?.offset ?? 0) > 0)
  const jumps = findPossibleJumps(moved.map(quietRange), rangesToScan(moved, code), code.read)
  if (jumps === undefined) for (const draft of moved) restrict(draft, { firstOnly: true })
  else if (jumps.length > 0) applyJumps(moved, jumps, code)
  for (const { request, chosen, isRemembered } of drafts) {
    if (chosen !== undefined && !isRemembered)
      memory?.set(request.address, request.returnAddressOnTop, chosen.offset)
  }
  return drafts.map((draft) => draft.chosen)
}

function draftEntry(
  request: EntryRequest,
  code: ModuleCode,
  firstOnly: boolean,
  memory: PlacementMemory | undefined,
): Draft {
  const { address, size, returnAddressOnTop } = request
  const bytes = code.read(address, Math.min(size, HEAD_BYTES)) ?? new Uint8Array()
  const next = code.functions[indexAtOrBefore(code.functions, address) + 1]
  const before = next === undefined ? Number.POSITIVE_INFINITY : next.address - address
  const optimisesNopAt = (offset: number) => code.optimisesNops === true && staysOnPage(address + offset)
  const needs = {
    entryStackPointer: returnAddressOnTop,
    before,
    hiddenJumps: false,
    optimisesNopAt,
    firstOnly,
  }
  const candidates = entryCandidates(bytes)
  // Taken only where an instruction begins: were the memory wrong, calls might be miscounted, and nothing worse.
  const offset = memory?.get(address, returnAddressOnTop)
  const remembered =
    offset === undefined ? undefined : candidates.find((candidate) => candidate.offset === offset)
  if (remembered !== undefined) return { request, candidates, needs, chosen: remembered, isRemembered: true }
  const chosen = chooseEntry(candidates, needs)
  const draft: Draft = { request, candidates, needs, chosen, isRemembered: false }
  if (
    chosen !== undefined &&
    chosen.offset > 0 &&
    !chosen.isPush &&
    mayHideJumpsTo(quietRange(draft), request, code)
  ) {
    restrict(draft, { hiddenJumps: true })
  }
  return draft
}

/** The kernel writes no call across two pages. */
export const staysOnPage = (nopAt: number) => nopAt % 4096 <= 4096 - 5

function restrict(draft: Draft, needs: Partial<PlacementNeeds>): void {
  draft.needs = { ...draft.needs, ...needs }
  draft.chosen = chooseEntry(draft.candidates, draft.needs)
}

const quietRange = ({ request, chosen }: Pick<Draft, 'request' | 'chosen'>): QuietRange => ({
  first: (request.address + 1) as VirtualAddress,
  last: (request.address + chosen!.offset) as VirtualAddress,
})

/** Whether a jump of the function through a register or a table could lead into a range. */
function mayHideJumpsTo(range: QuietRange, { address, size }: EntryRequest, code: ModuleCode): boolean {
  const bytes = code.read(address, size)
  if (bytes === undefined) return true
  if (!mayJumpIndirectly(bytes)) return false
  return (sweepCode(bytes)?.hiddenJumps ?? true) && mayJumpInto(range, { address, bytes }, code)
}

/** Whether the bytes of an indirect jump (`ff /4`) occur at any offset: cheap, and never misses one. */
function mayJumpIndirectly(bytes: Uint8Array): boolean {
  for (let at = bytes.indexOf(0xff); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    if (((bytes[at + 1] ?? 0) & 0x38) === 0x20) return true
  }
  return false
}

function rangesToScan(moved: readonly Draft[], code: ModuleCode): CodeRange[] {
  const { functions } = code
  if (moved.length === 0) return []
  const ranges: CodeRange[] = functions.filter(({ symbol }) => isColdPart(symbol))
  for (const { request } of moved) {
    const before = Math.min(request.address, NEIGHBOUR_BYTES)
    ranges.push({
      address: (request.address - before) as VirtualAddress,
      size: before + request.size + NEIGHBOUR_BYTES,
    })
  }
  return ranges
}

/** Moves an entry back before the first address that something jumps to. */
function applyJumps(moved: readonly Draft[], jumps: readonly PossibleJump[], code: ModuleCode): void {
  const sorted = [...moved].sort((a, b) => a.request.address - b.request.address)
  const isJump = jumpVerifier(code)
  for (const { at, target } of jumps) {
    const draft = sorted[lastAtOrBefore(sorted, target)]
    if (draft === undefined) continue
    const offset = target - draft.request.address
    if (offset <= (draft.chosen?.offset ?? 0) && isJump(at, target)) {
      restrict(draft, { before: Math.min(draft.needs.before, offset) })
    }
  }
}

function lastAtOrBefore(sorted: readonly Draft[], address: VirtualAddress): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]!.request.address <= address) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** Tells a jump from bytes that look like one by decoding the function they are in; in doubt the opcode decides. */
function jumpVerifier(code: ModuleCode): (at: VirtualAddress, target: VirtualAddress) => boolean {
  const known = new Map<VirtualAddress, ReadonlySet<number> | undefined>()
  const targetsOf = (address: VirtualAddress, size: number) => {
    if (!known.has(address)) {
      const bytes = code.read(address, size)
      const decoded = bytes && sweepCode(bytes)
      const targets = decoded && new Set([...decoded.targets, ...decoded.jumpsOut.map((jump) => jump.target)])
      known.set(address, targets)
    }
    return known.get(address)
  }
  return (at, target) => {
    const holder = functionHolding(code.functions, at) ?? code.unwind.lookup(at)
    if (holder === undefined) return hasJumpOpcode(code.read((at - 2) as VirtualAddress, 2))
    const targets = targetsOf(holder.address, holder.size)
    return targets === undefined || targets.has(target - holder.address)
  }
}

/** Whether a displacement behind these two bytes is a jump's or a call's; in doubt it is. */
function hasJumpOpcode(before: Uint8Array | undefined): boolean {
  const [first, second] = before ?? []
  if (first === undefined || second === undefined) return true
  if (second === 0xe8 || second === 0xe9 || second === 0xeb) return true
  if ((second & 0xf0) === 0x70 || (second & 0xfc) === 0xe0) return true
  return (first === 0x0f && (second & 0xf0) === 0x80) || (first === 0xc7 && second === 0xf8)
}
