import type { VirtualAddress } from '../base/units.ts'
import { type Exits, findExits } from './exits.ts'
import { isColdPart } from './function-rules.ts'
import { emulationOf } from './kernel-rules.ts'
import { functionHolding, type ModuleCode } from './module-code.ts'
import type { FunctionPlan, ProbeSite, WayOut } from './plan.ts'
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
      : range !== undefined && !range.returnAddressOnTop
        ? range
        : undefined
  const bytes = part && code.read(part.address, part.size)
  return part && bytes?.length === part.size ? { address: part.address, bytes } : undefined
}

/**
 * The way out that can be had, given the one wished for, and why. `usedSites` holds the file offsets that carry an exit
 * probe already, of functions that overlap: each gets one probe.
 */
export function wayOut(
  wish: WayOutWish,
  entry: ProbeSite,
  exits: Exits | undefined,
  usedSites: Set<number>,
  code: ModuleCode,
): { exit: WayOut; reason: string } {
  if (wish.kind === 'return') return { exit: { kind: 'return' }, reason: wish.reason }
  const inferred = (reason: string) => ({ exit: { kind: 'none' as const }, reason })
  if (exits === undefined) return inferred(wish.reason)
  if (exits.kind === 'uncertain') return inferred(`exits are inferred: ${exits.reason}`)
  if (exits.rets.length === 0) {
    const leaves = exits.tailJumps.length > 0 || exits.indirectTailJumps
    return inferred(leaves ? 'leaves by tail jumps only: the callee ends it' : 'never returns')
  }
  if (exits.rets.some((ret) => emulationOf(ret.bytes) === 'refused')) {
    return inferred('exits are inferred: the kernel refuses a probe on its ret')
  }
  if (exits.rets.some((ret) => ret.address === entry.address)) {
    return inferred('exits are inferred: its first instruction is its ret')
  }
  const sites = exits.rets.map((ret) => makeSite(ret.address, 0, false, code))
  const own = sites.filter((site) => site !== undefined && !usedSites.has(site.fileOffset)) as ProbeSite[]
  for (const site of own) usedSites.add(site.fileOffset)
  return { exit: { kind: 'ret', sites: own }, reason: wish.reason }
}
