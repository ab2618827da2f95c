import { closeSync, openSync, writeSync } from 'node:fs'
import { UserError } from '../base/errors.ts'
import type { Pid, RuntimeAddress, VirtualAddress } from '../base/units.ts'
import type { HookedReturn, Kernel } from '../bpf/kernel.ts'
import { type BpfLink, detachAll } from '../bpf/link.ts'
import { addressToFileOffset } from '../elf/address.ts'
import { readExports } from '../elf/exports.ts'
import type { FunctionPlan, Untraced } from '../probe/plan.ts'
import { attachExits, attachPlan } from './attach-plan.ts'
import type { FunctionIds } from './function-ids.ts'
import { type Module, type ModuleReader, type ProcessModules, pathThrough } from './modules.ts'
import { type PlannedModule, type PlanOptions, planProcess } from './plan-process.ts'
import { addressesOf, catchFunction, type ReturnHookEvidence, returnHookEvidence } from './return-hooks.ts'
import type { Selection } from './selection.ts'

/** What all processes of a session share. */
export interface TracerContext {
  readonly kernel: Kernel
  readonly selection: Selection
  readonly options: PlanOptions
  readonly ids: FunctionIds
  readonly reader: ModuleReader
  readonly followForks: boolean
}

/** The function that dynamic linkers call, for debuggers, whenever they have changed the list of modules. */
const loaderHook = '_dl_debug_state'
/** Stands for "not traced" in the place of a function id. */
const noEvidence = { harmless: false, reason: '', switchesStacks: false, unwinders: [], catchers: [] }
const noFunctionId = (1 << 28) - 1

/** A process: what is planned for it, and the probes that it carries. */
export class ProcessTracer {
  readonly pid: Pid
  readonly planned: PlannedModule[] = []
  readonly untraced: Untraced[] = []
  readonly #context: TracerContext
  readonly #plannedKeys = new Set<string>()
  /** How many of the planned modules are attached. */
  #attached = 0
  #evidence: ReturnHookEvidence = noEvidence
  #watched = new Set<string>()
  #loader: { readonly link: BpfLink; readonly atEntry: boolean } | undefined
  readonly #links: BpfLink[] = []
  /** Probes that are on their way out: nobody has to wait for them before the end. */
  readonly #detaching: Promise<void>[] = []

  constructor(pid: Pid, context: TracerContext) {
    this.pid = pid
    this.#context = context
  }

  /** Whether everything is planned that is loaded when a program begins. */
  get isPlanned(): boolean {
    return this.planned.length > 0
  }

  /** Whether its threads may go on on other stacks. */
  get switchesStacks(): boolean {
    return this.#evidence.switchesStacks
  }

  /**
   * The process has a new image, and has run none of it: plans at once, or sees to it that it stops again (`loaded`)
   * when its libraries are in place and none of their code has run. The caller resumes it.
   */
  begin(): void {
    const modules = this.#modules()
    const { interpreter, executable } = modules
    if (interpreter === undefined) this.#plan(modules)
    else this.#loader = this.#attachLoader(interpreter, executable)
  }

  /** The dynamic linker has changed the list of modules: plans what is new, unless it is only about to change it. */
  loaded(): void {
    const modules = this.#modules()
    if (modules.complete || this.#loader?.atEntry) this.#plan(modules)
  }

  /** Plans a process that has been running for long. */
  join(): void {
    const modules = this.#modules()
    if (modules.interpreter !== undefined) {
      const loader = this.#attachLoader(modules.interpreter, modules.executable)
      if (loader.atEntry) this.#detaching.push(loader.link.detach())
      else this.#loader = loader
    }
    this.#plan(modules)
  }

  /** A child process begins as a copy: what is planned for its parent holds for it too. */
  fork(child: Pid): ProcessTracer {
    const tracer = new ProcessTracer(child, this.#context)
    tracer.planned.push(...this.planned)
    for (const key of this.#plannedKeys) tracer.#plannedKeys.add(key)
    tracer.#evidence = this.#evidence
    if (this.#loader !== undefined) {
      const modules = tracer.#modules()
      if (modules.interpreter !== undefined) {
        tracer.#loader = tracer.#attachLoader(modules.interpreter, modules.executable)
      }
    }
    return tracer
  }

  /** Attaches what is planned and not attached yet. @returns the functions that now carry probes */
  attach(): FunctionPlan[] {
    const { kernel, ids } = this.#context
    const functions: FunctionPlan[] = []
    this.#watchUnwinders()
    for (const planned of this.planned.slice(this.#attached)) {
      const { links, attached, refused } = attachPlan(kernel, planned, ids, this.pid)
      this.#links.push(...links)
      functions.push(...attached)
      this.untraced.push(
        ...refused.map(({ plan, reason }) => ({ symbol: plan.symbol, name: plan.name, reason })),
      )
    }
    this.#attached = this.planned.length
    return functions
  }

  /** Attaches probes to the exits of those of the functions that this process has, so that returns need no hook. */
  probeExits(functionIds: ReadonlySet<number>): void {
    const { kernel, ids } = this.#context
    for (const { module, plan } of this.planned.slice(0, this.#attached)) {
      const chosen = plan.functions.filter((function_) => functionIds.has(ids.idOf(module, function_)))
      this.#links.push(...attachExits(kernel, module, chosen, ids, this.pid))
    }
  }

  /** The functions whose entry probes sit at these addresses: their ids. */
  functionsAt(probes: ReadonlySet<RuntimeAddress>): Set<number> {
    const found = new Set<number>()
    for (const { module, plan } of this.planned) {
      for (const function_ of plan.functions) {
        const address = (function_.entry.address + module.loadBias) as RuntimeAddress
        if (probes.has(address)) found.add(this.#context.ids.idOf(module, function_))
      }
    }
    return found
  }

  /** Writes return addresses back where the kernel had replaced them. The process is stopped. */
  restoreReturns(returns: readonly HookedReturn[]): void {
    const memory = openSync(`/proc/${this.pid}/mem`, 'r+')
    try {
      const bytes = Buffer.alloc(8)
      for (const { slot, returnAddress } of returns) {
        bytes.writeBigUInt64LE(BigInt(returnAddress))
        writeSync(memory, bytes, 0, bytes.length, slot)
      }
    } finally {
      closeSync(memory)
    }
  }

  /** Lets a stopped process run. */
  resume(): void {
    try {
      process.kill(this.pid, 'SIGCONT')
    } catch {
      // It has been killed while it was stopped.
    }
  }

  /** Removes all probes. */
  async detach(): Promise<void> {
    this.#dropLoader()
    await Promise.all([detachAll(this.#links.splice(0)), ...this.#detaching])
  }

  #modules(): ProcessModules {
    return this.#context.reader.read(this.pid)
  }

  #plan(modules: ProcessModules): void {
    const { kernel, selection, options, followForks } = this.#context
    this.#evidence = returnHookEvidence(modules, kernel.seesHookedReturns)
    kernel.addProcess(this.pid, { caller: modules.executable.code, followForks })
    const keyOf = (module: Module, part: string) => `${module.file} ${part}`
    const isKnown = (module: Module, part: string) => this.#plannedKeys.has(keyOf(module, part))
    for (const planned of planProcess(modules, selection, options, this.#evidence, isKnown)) {
      this.#plannedKeys.add(keyOf(planned.module, planned.part))
      this.planned.push(planned)
      this.untraced.push(...planned.plan.untraced)
    }
    if (!this.#needsLoader()) this.#dropLoader()
  }

  /** Libraries that come later matter if they are traced inside, or if they may bring an unwinder. */
  #needsLoader(): boolean {
    if (this.#loader === undefined || this.#loader.atEntry) return false
    const hooks = this.planned.some(({ plan }) => plan.functions.some(({ exit }) => exit.kind === 'return'))
    return this.#context.selection.anyNesting || hooks
  }

  #dropLoader(): void {
    if (this.#loader === undefined) return
    this.#detaching.push(this.#loader.link.detach())
    this.#loader = undefined
  }

  #watchUnwinders(): void {
    const { kernel } = this.#context
    for (const { module, addresses } of this.#evidence.unwinders) {
      if (this.#watched.has(module.file)) continue
      this.#watched.add(module.file)
      const offsets = addresses.flatMap((address) => addressToFileOffset(module.image.facts, address) ?? [])
      this.#links.push(kernel.attachUnwinders(pathThrough(this.pid, module), offsets, this.pid))
    }
    for (const module of this.#evidence.catchers) {
      const [address] = addressesOf(module, [catchFunction])
      const offset = address && addressToFileOffset(module.image.facts, address)
      if (offset === undefined || this.#watched.has(`${module.file} catch`)) continue
      this.#watched.add(`${module.file} catch`)
      const own = this.#idAt(module, address!) ?? noFunctionId
      this.#links.push(kernel.attachCatch(pathThrough(this.pid, module), offset, own, this.pid))
    }
  }

  #idAt(module: Module, address: VirtualAddress): number | undefined {
    for (const planned of this.planned) {
      const plan = planned.plan.functions.find((function_) => function_.address === address)
      if (planned.module.file === module.file && plan !== undefined)
        return this.#context.ids.idOf(module, plan)
    }
    return undefined
  }

  /** Where there is no such hook, the executable's entry point serves once: everything is loaded by then. */
  #attachLoader(interpreter: Module, executable: Module): { link: BpfLink; atEntry: boolean } {
    const hook = readExports(interpreter.image).find(loaderHook)
    const module = hook === undefined ? executable : interpreter
    const offset = addressToFileOffset(module.image.facts, hook?.address ?? executable.image.facts.entry)
    if (offset === undefined)
      throw new UserError(`${module.path} is damaged: its code lies outside of its segments`)
    const link = this.#context.kernel.attachLoader(pathThrough(this.pid, module), offset, this.pid)
    return { link, atEntry: hook === undefined }
  }
}
