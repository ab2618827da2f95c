import type { VirtualAddress } from '../base/units.ts'
import type { FunctionSymbol } from '../elf/facts.ts'
import { cachedRead } from './code-cache.ts'
import { NOT_ONLY_INSTRUCTIONS } from './code-sweep.ts'
import type { Candidate } from './entry-block.ts'
import { exitsOf, wayOut } from './exit-sites.ts'
import type { Exits } from './exits.ts'
import { functionHolding, type ModuleCode } from './module-code.ts'
import { placeEntries } from './place-entries.ts'
import type { FunctionPlan, ModulePlan, ProbeSite, Untraced } from './plan.ts'
import { INSTRUCTION_BYTES, makeSite } from './site.ts'
import { type WayOutOptions, type WayOutWish, wishWayOut } from './way-out.ts'

interface PlanOptions extends WayOutOptions {
  /** `entry`: probes sit on the first instruction, whatever it costs. */
  readonly placement: 'auto' | 'entry'
  /** Linkage name to name with arguments. */
  readonly demangle: (symbol: string) => string
}

export interface ModulePlanInput extends ModuleCode, PlanOptions {
  /** Whether a function is asked for; called with each of its linkage names until one is. */
  readonly select: (names: { readonly symbol: string; readonly name: string }) => boolean
}

/** Plans the functions that are asked for of those that a module's symbols name. */
export function planModule(input: ModulePlanInput): ModulePlan {
  const targets: Target[] = []
  const untraced: Untraced[] = []
  for (const found of input.functions) {
    const names = selectedNames(found, input)
    if (names === undefined) continue
    if (found.isIfunc) untraced.push({ ...names, reason: IFUNC_REASON })
    else targets.push({ ...names, kind: 'function', address: found.address, size: found.size })
  }
  return planTargets(targets, untraced, input)
}

const IFUNC_REASON = 'IFUNC resolver: the program calls the function that it picks'

function selectedNames(found: FunctionSymbol, input: ModulePlanInput) {
  const symbols = [found.symbol, ...found.aliases]
  for (const symbol of symbols) {
    const name = input.demangle(symbol)
    if (input.select({ symbol, name })) return { symbol, name, aliases: symbols.filter((s) => s !== symbol) }
  }
  return undefined
}

export interface LibraryCall {
  /** Name under which it is imported. */
  readonly symbol: string
  /** Where it leads to in the library: more than one for an IFUNC, whose implementations are all candidates. */
  readonly addresses: readonly VirtualAddress[]
}

export interface LibraryPlanInput extends ModuleCode, PlanOptions {
  readonly calls: readonly LibraryCall[]
}

/** Plans the functions of a library that another module calls: the probes sit in the library. */
export function planLibraryCalls(input: LibraryPlanInput): ModulePlan {
  const targets = new Map<VirtualAddress, Target>()
  const untraced: Untraced[] = []
  for (const { symbol, addresses } of input.calls) {
    for (const address of addresses) {
      const known = targets.get(address)
      if (known !== undefined) {
        targets.set(address, { ...known, aliases: [...new Set([...known.aliases, symbol])] })
        continue
      }
      const holder = functionHolding(input.functions, address)
      const own = holder?.address === address ? holder : undefined
      const range = input.unwind.lookup(address)
      const size = own?.size ?? (range?.address === address ? range.size : 0)
      const aliases = own === undefined ? [] : [own.symbol, ...own.aliases].filter((name) => name !== symbol)
      const name = input.demangle(symbol)
      if (own?.isIfunc) untraced.push({ symbol, name, reason: IFUNC_REASON })
      else targets.set(address, { symbol, aliases, name, kind: 'library-call', address, size })
    }
  }
  return planTargets([...targets.values()], untraced, input)
}

type Target = Pick<FunctionPlan, 'symbol' | 'aliases' | 'name' | 'kind' | 'address' | 'size'>

interface Wanted {
  readonly target: Target
  readonly wish: WayOutWish
  /** The unwind table knows it, so that it is code. */
  readonly isCode: boolean
}

function planTargets(
  targets: readonly Target[],
  untraced: Untraced[],
  options: ModuleCode & PlanOptions,
): ModulePlan {
  const input = { ...options, read: cachedRead(options.read) }
  const leaveOut = ({ symbol, name }: Target, reason: string) => untraced.push({ symbol, name, reason })
  const wanted: Wanted[] = []
  for (const target of targets) {
    const range = input.unwind.lookup(target.address)
    const wish = wishWayOut(target, range, input.entryPoint, input)
    if (wish.kind === 'untraced') leaveOut(target, wish.reason)
    else if (input.toFileOffset(target.address) === undefined) leaveOut(target, 'its code is not in the file')
    else wanted.push({ target, wish, isCode: range !== undefined })
  }

  const requests = wanted.map(({ target, wish }) => ({
    address: target.address,
    size: target.size || INSTRUCTION_BYTES,
    returnProbe: wish.kind === 'return',
  }))
  const chosen = placeEntries(requests, input, input.placement === 'entry')

  const drafts: Draft[] = []
  const usedSites = new Set<number>()
  for (const [i, { target, wish, isCode }] of wanted.entries()) {
    const entry = entrySite(target, chosen[i], input)
    const exits = wish.kind === 'ret' ? exitsOf(target, input) : undefined
    if (entry === undefined) leaveOut(target, 'the kernel refuses a probe on its first instructions')
    else if (!isCode && exits?.kind === 'uncertain' && exits.reason === NOT_ONLY_INSTRUCTIONS)
      leaveOut(target, 'its bytes are not instructions')
    else drafts.push({ plan: { ...target, entry, ...wayOut(wish, entry, exits, usedSites, input) }, exits })
  }
  return { functions: drafts.map(tailJumpTeller(drafts)), untraced }
}

function entrySite(target: Target, chosen: Candidate | undefined, input: ModuleCode): ProbeSite | undefined {
  if (chosen === undefined) return undefined
  const address = (target.address + chosen.offset) as VirtualAddress
  const emulated = chosen.emulation === 'everywhere' || chosen.emulation === 'recent'
  return makeSite(address, chosen.stackDisplacement, emulated, input)
}

interface Draft {
  readonly plan: FunctionPlan
  readonly exits: Exits | undefined
}

/** Says so where a function may leave into code whose exit nobody watches. */
function tailJumpTeller(drafts: readonly Draft[]): (draft: Draft) => FunctionPlan {
  const watched = new Set<number>()
  for (const { plan } of drafts) if (plan.exit.kind !== 'none') watched.add(plan.address)
  return ({ plan, exits }) => {
    if (exits?.kind !== 'known' || plan.exit.kind !== 'ret') return plan
    const unwatched = exits.tailJumps.some((address) => !watched.has(address)) || exits.indirectTailJumps
    return unwatched ? { ...plan, reason: `${plan.reason}; exits by tail jumps are inferred` } : plan
  }
}
