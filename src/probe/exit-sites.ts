import type { VirtualAddress } from '../base/units.ts'
import { jumpCondition } from './encoding.ts'
import { type Exit, type Exits, findExits, type JumpToRet, type Ret, type TailJump } from './exits.ts'
import { isColdPart } from './function-rules.ts'
import { emulationOf } from './kernel-rules.ts'
import { functionHolding, type ModuleCode } from './module-code.ts'
import type { ExitSite, FunctionPlan, ProbeSite, WayOut } from './plan.ts'
import { makeSite } from './site.ts'
import type { WayOutWish } from './way-out.ts'

/** Where a function leaves its frame, its cold parts included. */
export function exitsOf(target: Pick<FunctionPlan, 'address' | 'size'>, code: ModuleCode): Exits {
  const bytes = code.read(target.address, target.size)
  if (bytes === undefined || bytes.length < target.size) {
    return { kind: 'uncertain', reason: 'its code is not all in the file' }
  }
  const range = code.unwind.lookup(target.address)
  const exactBounds = range?.address === target.address && range.size === target.size
  return findExits(
    { address: target.address, bytes },
    { exactBounds, partAt: (address) => partAt(address, code) },
  )
}

/** A jump out of a function leads into a part of it if that is called one, or if it can't be entered by a call. */
function partAt(address: VirtualAddress, code: ModuleCode) {
  const holder = functionHolding(code.functions, address)
  const range = code.unwind.lookup(address)
  const part =
    holder !== undefined && isColdPart(holder.symbol)
      ? holder
      : range !== undefined && !range.returnAddressOnTop && !isCallStub(address, code)
        ? range
        : undefined
  const bytes = part && code.read(part.address, part.size)
  return part && bytes?.length === part.size ? { address: part.address, bytes } : undefined
}

/**
 * A PLT entry: `jmp [rip + slot]`, perhaps after `endbr64`, or `push` and `jmp` of the lazy kind. The unwind table
 * describes all of them as one range.
 */
export function isCallStub(address: VirtualAddress, code: ModuleCode): boolean {
  let bytes = code.read(address, 24) ?? new Uint8Array()
  if (bytes[0] === 0xf3 && bytes[1] === 0x0f) bytes = bytes.subarray(4)
  // mold first loads the number of the relocation: mov r11d, imm32
  if (bytes[0] === 0x41 && bytes[1] === 0xbb) bytes = bytes.subarray(6)
  return isCallThroughSlot(bytes) || bytes[0] === 0x68
}

/** `jmp [rip + slot]`: leads to what the dynamic linker has put there. */
function isCallThroughSlot(bytes: Uint8Array): boolean {
  const at = bytes[0] === 0xf2 ? 1 : 0
  return bytes[at] === 0xff && bytes[at + 1] === 0x25
}

/** What is known of the functions that are planned together. */
export interface ExitContext {
  /** Whether the end of the code at an address will be seen: it is traced, and so ends whoever jumped there. */
  readonly isWatched: (address: VirtualAddress) => boolean
  /** File offsets that carry an exit probe already, of functions that overlap: each gets one probe. */
  readonly usedSites: Set<number>
}

/** The way out that can be had, given the one wished for, and why. */
export function wayOut(
  wish: WayOutWish,
  entry: ProbeSite,
  exits: Exits | undefined,
  context: ExitContext,
  code: ModuleCode,
): { exit: WayOut; reason: string } {
  if (wish.kind === 'return') return { exit: { kind: 'return' }, reason: wish.reason }
  const inferred = (reason: string) => ({ exit: { kind: 'none' as const }, reason })
  if (exits === undefined) return inferred(wish.reason)
  if (exits.kind === 'uncertain') return inferred(`exits are inferred: ${exits.reason}`)
  const { rets, tailJumps, runsOnInto } = exits
  if (rets.length + tailJumps.length + runsOnInto.length === 0) return inferred('never returns')
  const jumpsOut = tailJumps.filter(({ target }) => target === undefined || !context.isWatched(target))
  const leaves = [...cheapestOf(rets, [entry, ...jumpsOut]), ...jumpsOut.map(leaveByJump)]
  if (leaves.some((leave) => emulationOf(leave.bytes) === 'refused')) {
    return inferred('exits are inferred: the kernel refuses a probe on its ret')
  }
  const atEntry = leaves.find((leave) => leave.address === entry.address)
  if (atEntry !== undefined) {
    if (atEntry.conditional) return inferred('exits are inferred: its first jump is a way out')
    return { exit: { kind: 'entry' }, reason: 'it leaves where its calls are counted' }
  }
  const sites: ExitSite[] = []
  for (const leave of leaves) {
    const { conditional, condition, stackDisplacement } = leave
    if (conditional && condition === undefined)
      return inferred('exits are inferred: it leaves by a counting jump')
    const emulated = emulationOf(leave.bytes) === 'everywhere'
    const facts = { stackDisplacement, emulated, mayFaultBefore: false, condition }
    const site = makeSite(leave.address, facts, code)
    if (site === undefined || context.usedSites.has(site.fileOffset)) continue
    context.usedSites.add(site.fileOffset)
    sites.push(site)
  }
  const unwatched = runsOnInto.some((address) => !context.isWatched(address))
  return {
    exit: { kind: 'ret', sites },
    reason: unwatched ? `${wish.reason}; runs on into code not traced` : wish.reason,
  }
}

/** An instruction by which the function leaves, or comes to its `ret` without doing anything else. */
interface Leave extends Exit {
  readonly conditional: boolean
  /** Undefined, where it is conditional, for a jump whose condition is not in the flags. */
  readonly condition: number | undefined
  readonly stackDisplacement: number
}

/** The `ret`s, or the jumps that lead to them, which the kernel emulates. @param taken instructions that are probed already */
function cheapestOf(rets: readonly Ret[], taken: readonly { readonly address: VirtualAddress }[]): Leave[] {
  const used = new Set(taken.map(({ address }) => address))
  return rets.flatMap(({ address, bytes, ways }): readonly Leave[] => {
    if (ways === undefined || ways.some((way) => used.has(way.address))) {
      return [{ address, bytes, conditional: false, condition: undefined, stackDisplacement: 0 }]
    }
    for (const way of ways) used.add(way.address)
    return ways.map((way: JumpToRet) => ({ ...way, conditional: way.condition !== undefined }))
  })
}

function leaveByJump({ address, bytes, conditional }: TailJump): Leave {
  const condition = conditional ? jumpCondition(bytes, 0) : undefined
  return { address, bytes, conditional, condition, stackDisplacement: 0 }
}
