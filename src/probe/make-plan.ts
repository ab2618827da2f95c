import type { VirtualAddress } from '../base/units.ts'
import type { FunctionSymbol } from '../elf/facts.ts'
import { cachedRead } from './code-cache.ts'
import { NOT_ONLY_INSTRUCTIONS } from './code-sweep.ts'
import type { Candidate } from './entry-block.ts'
import { type ExitContext, exitsOf, isCallStub, wayOut } from './exit-sites.ts'
import type { Exits } from './exits.ts'
import { functionHolding, indexAtOrBefore, type ModuleCode } from './module-code.ts'
import { placeEntries, staysOnPage } from './place-entries.ts'
import {
  type FunctionPlan,
  type ModulePlan,
  otherModule,
  type ProbeSite,
  type Untraced,
  type WayOut,
} from './plan.ts'
import { readsReturnAddress } from './return-address.ts'
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
  readonly select: (symbol: string) => boolean
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
    if (!input.select(symbol)) continue
    return { symbol, name: input.demangle(symbol), aliases: symbols.filter((other) => other !== symbol) }
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
  const plan = planTargets([...targets.values()], untraced, input)
  // An IFUNC has implementations for other CPUs: only if none of them can be traced is the call not.
  const traced = new Set(plan.functions.flatMap(({ symbol: name, aliases }) => [name, ...aliases]))
  return { ...plan, untraced: plan.untraced.filter(({ symbol }) => !traced.has(symbol)) }
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
    const wish = leavingReturnAddress(wishWayOut(target, range, input.entryPoint, input), target, input)
    if (wish.kind === 'untraced') leaveOut(target, wish.reason)
    else if (input.toFileOffset(target.address) === undefined) leaveOut(target, 'its code is not in the file')
    // `valid_vma` of kernel/events/uprobes.c wants VM_WRITE to be off.
    else if (input.isWritable(target.address))
      leaveOut(target, 'its code may be written to: the kernel puts no probes there')
    else wanted.push({ target, wish, isCode: range !== undefined })
  }

  const drafts: Draft[] = []
  for (const it of giveUpDearHooks(withEntries(wanted, input), input)) {
    const { target, wish, isCode, entry } = it
    const exits = it.exits ?? (wish.kind === 'ret' ? exitsOf(target, input) : undefined)
    if (entry === undefined) leaveOut(target, 'the kernel refuses a probe on its first instructions')
    else if (!isCode && exits?.kind === 'uncertain' && exits.reason === NOT_ONLY_INSTRUCTIONS)
      leaveOut(target, 'its bytes are not instructions')
    else drafts.push({ target, wish, entry, exits })
  }
  const watched = new Set(drafts.filter(isWatched).map(({ target }) => target.address))
  const context = {
    isWatched: (address: VirtualAddress) => watched.has(address),
    usedSites: new Set<number>(),
  }
  return { functions: drafts.map((draft) => functionPlan(draft, context, input)), untraced }
}

interface WantedAt extends Wanted {
  readonly entry: ProbeSite | undefined
  /** Known already, if they had to be looked at to decide. */
  readonly exits?: Exits
}

function withEntries(wanted: readonly Wanted[], input: ModuleCode & PlanOptions): WantedAt[] {
  const requests = wanted.map(({ target, wish }) => ({
    address: target.address,
    size: target.size || INSTRUCTION_BYTES,
    // A library call counts by where it returns to.
    returnAddressOnTop: wish.kind === 'return' || target.kind === 'library-call',
  }))
  const chosen = placeEntries(requests, input, input.placement === 'entry')
  return wanted.map((it, i) => ({ ...it, entry: entrySite(it.target, chosen[i], input) }))
}

/**
 * A hook needs the return address on top of the stack at the entry. Where that entry is single-stepped, and a later one
 * would be emulated, probing the `ret` costs no more than the hook: one single step either way. Functions that may lose
 * their hook are spared it: they would keep the dear entry, and have the dear exit on top of it.
 */
function giveUpDearHooks(wanted: readonly WantedAt[], input: ModuleCode & PlanOptions): WantedAt[] {
  if (input.exitProbe !== 'auto' || !input.returnHooks.mayBeLost) return [...wanted]
  const wish = { kind: 'ret', reason: 'a hook would need a single step at its entry too' } as const
  const stepped = wanted.filter(({ wish, entry, target }) => {
    return (
      wish.kind === 'return' && target.kind === 'function' && entry?.emulated === false && !entry.optimised
    )
  })
  const cheaper = new Map<Target, WantedAt>()
  for (const it of withEntries(
    stepped.map((it) => ({ ...it, wish })),
    input,
  )) {
    if (!it.entry?.emulated) continue
    const exits = exitsOf(it.target, input)
    if (areProbed(exits, it.entry, input)) cheaper.set(it.target, { ...it, exits })
  }
  return wanted.map((it) => cheaper.get(it.target) ?? it)
}

function areProbed(exits: Exits, entry: ProbeSite, input: ModuleCode): boolean {
  const context = { isWatched: () => false, usedSites: new Set<number>() }
  const wish = { kind: 'ret', reason: '' } as const
  return wayOut(wish, entry, exits, context, input).exit.kind === 'ret'
}

/** A function that looks at its own return address must find it there. */
function leavingReturnAddress(wish: WayOutWish, target: Target, input: ModuleCode): WayOutWish {
  if (wish.kind !== 'return') return wish
  const code = input.read(target.address, target.size)
  const reads = code !== undefined && readsReturnAddress(code)
  return reads ? { kind: 'ret', reason: 'reads its own return address' } : wish
}

function entrySite(target: Target, chosen: Candidate | undefined, input: ModuleCode): ProbeSite | undefined {
  if (chosen === undefined) return undefined
  const address = (target.address + chosen.offset) as VirtualAddress
  const emulated = chosen.emulation === 'everywhere' || chosen.emulation === 'recent'
  const { stackDisplacement, mayFaultBefore } = chosen
  const optimised = chosen.isNop5 && input.optimisesNops === true && staysOnPage(address)
  return makeSite(
    address,
    { stackDisplacement, emulated, optimised, mayFaultBefore, condition: undefined },
    input,
  )
}

interface Draft {
  readonly target: Target
  readonly wish: WayOutWish
  readonly entry: ProbeSite
  readonly exits: Exits | undefined
}

/** Whether the end of a function's calls will be seen. */
const isWatched = ({ wish, exits }: Draft) => wish.kind === 'return' || exits?.kind === 'known'

function functionPlan(draft: Draft, context: ExitContext, input: ModuleCode): FunctionPlan {
  const { target, wish, entry, exits } = draft
  const planned = wayOut(wish, entry, exits, context, input)
  let withoutHook: WayOut | undefined = planned.exit.kind === 'return' ? undefined : planned.exit
  let decoded = exits
  // Asked for only when a call seems to have taken the place of another one: decoding all functions would be dear.
  const decode = () => {
    decoded ??= exitsOf(target, input)
    return decoded
  }
  return {
    ...target,
    entry,
    ...planned,
    get exitWithoutHook() {
      withoutHook ??= wayOut({ ...wish, kind: 'ret' }, entry, decode(), context, input).exit
      return withoutHook
    },
    get mayTailCall() {
      return entriesInside(target, input).length > 0 || canTailCall(decode())
    },
    get tailTargets() {
      const targets = tailTargets(decode(), input)
      return targets && [...targets, ...entriesInside(target, input)]
    },
    get loopsToEntry() {
      const found = decode()
      return found.kind === 'known' && found.loopsToEntry
    },
  }
}

function canTailCall(exits: Exits): boolean {
  return (
    exits.kind === 'uncertain' || exits.hiddenJumps || exits.tailJumps.length + exits.runsOnInto.length > 0
  )
}

/** Where other functions begin among its bytes: it may run on into them, and then they have the same end. */
function entriesInside({ address, size }: Target, { functions }: ModuleCode): VirtualAddress[] {
  const inside: VirtualAddress[] = []
  for (let index = indexAtOrBefore(functions, address) + 1; index < functions.length; index++) {
    const other = functions[index]!.address
    if (other >= address + size) break
    inside.push(other)
  }
  return inside
}

/** Undefined where a jump leads through a pointer: to any function. */
function tailTargets(exits: Exits, code: ModuleCode): VirtualAddress[] | undefined {
  if (exits.kind === 'uncertain' || exits.hiddenJumps || exits.runsOnInto.length > 0) return undefined
  const targets = new Set<VirtualAddress>()
  for (const { target } of exits.tailJumps) {
    if (target === undefined) return undefined
    // Some linkers give PLT entries names of their own.
    const isOwn = functionHolding(code.functions, target)?.address === target && !isCallStub(target, code)
    if (!isOwn && !code.callsLeaveModule) return undefined
    targets.add(isOwn ? target : otherModule)
  }
  return [...targets]
}
