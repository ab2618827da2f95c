import { closeSync, openSync, writeSync } from 'node:fs'
import { UserError } from '../base/errors.ts'
import type { Pid, RuntimeAddress, VirtualAddress } from '../base/units.ts'
import type { HookedReturn, Kernel } from '../bpf/kernel.ts'
import { type BpfLink, detachAll } from '../bpf/link.ts'
import { addressToFileOffset } from '../elf/address.ts'
import { readExports } from '../elf/exports.ts'
import type { FunctionPlan, ProbeSite, Untraced } from '../probe/plan.ts'
import { removeBreakpoints } from '../target/breakpoints.ts'
import { type Circumstances, readCircumstances } from '../target/circumstances.ts'
import { attachExits, attachPlan } from './attach-plan.ts'
import { describeFunctions } from './describe-functions.ts'
import type { FunctionIds } from './function-ids.ts'
import { type Module, type ModuleReader, type ProcessModules, pathThrough } from './modules.ts'
import { namesOf, type PlannedModule, type PlanOptions, planProcess } from './plan-process.ts'
import { addressesOf, catchFunction, type ReturnHookEvidence, returnHookEvidence } from './return-hooks.ts'
import type { Selection, TracingSwitch } from './selection.ts'
import { takeProbesOut } from './take-probes-out.ts'

/** What all processes of a session share. */
export interface TracerContext {
  readonly kernel: Kernel
  readonly selection: Selection
  readonly options: PlanOptions
  readonly ids: FunctionIds
  readonly reader: ModuleReader
  readonly followForks: boolean
  /** What the kernel must know functions for, if anything. */
  readonly describedFor: 'sums' | 'ends' | undefined
  /** Says something at this place of the trace. */
  readonly note: (text: string) => void
}

/** The function that dynamic linkers call, for debuggers, whenever they have changed the list of modules. */
const loaderHook = '_dl_debug_state'
/** Stands for "not traced" in the place of a function id. */
const noEvidence = { harmless: false, reason: '', switchesStacks: false, unwinders: [], catchers: [] }
const noFunctionId = (1 << 27) - 1

/** A process: what is planned for it, and the probes that it carries. */
export class ProcessTracer {
  readonly pid: Pid
  readonly planned: PlannedModule[] = []
  /** By a key that is the same for every process that runs the same file. */
  readonly untraced = new Map<string, Untraced>()
  readonly #context: TracerContext
  readonly #plannedKeys = new Set<string>()
  /** By file: where each module was last seen. One that is unloaded and loaded again may lie elsewhere. */
  readonly #mapped = new Map<string, Module>()
  /** Those of the planned modules that carry their probes. */
  readonly #attached = new Set<PlannedModule>()
  #evidence: ReturnHookEvidence = noEvidence
  readonly #circumstances: Circumstances
  #watched = new Set<string>()
  /** By module: its functions by where their entry probes sit. */
  readonly #located = new Map<
    PlannedModule,
    { readonly loadBias: number; readonly ids: Map<number, number> }
  >()
  /** Of /proc/PID/mem, once it was needed. */
  #memory: number | undefined
  #loader: { readonly link: BpfLink; readonly atEntry: boolean } | undefined
  readonly #links: BpfLink[] = []
  /** Probes that are on their way out: nobody has to wait for them before the end. */
  readonly #detaching: Promise<void>[] = []

  constructor(pid: Pid, context: TracerContext) {
    this.pid = pid
    this.#context = context
    this.#circumstances = readCircumstances(pid)
  }

  /** Whether everything is planned that is loaded when a program begins. */
  get isPlanned(): boolean {
    return this.planned.length > 0
  }

  /** Whether an interactive shell would see it stopped. */
  get isShellJob(): boolean {
    return this.#circumstances.isShellJob
  }

  /** Whether it may be told when a child of it is stopped and continued: not once it is gone, as those who become daemons. */
  get watchesChildren(): boolean {
    try {
      return readCircumstances(this.pid).watchesChildren
    } catch {
      return false
    }
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
    if (this.#circumstances.isShellJob) {
      if (this.#context.selection.anyNesting)
        this.#context.note(
          `libraries that process ${this.pid} loads from now on are not traced: its shell would see it stopped for each`,
        )
    } else if (modules.interpreter !== undefined) {
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
    const { interpreter, executable } = tracer.#modules()
    if (this.#loader !== undefined && interpreter !== undefined) {
      tracer.#loader = tracer.#attachLoader(interpreter, executable)
    }
    return tracer
  }

  /** Takes its probes out of a child that is not traced, and that was born as a copy with all of them. It is stopped. */
  cleanChild(child: Pid): void {
    const { ids } = this.#context
    this.#modules()
    for (const [planned, module] of this.#present(this.#attached)) {
      const { image, loadBias } = module
      const sites = planned.plan.functions.flatMap((function_) => {
        const moved = ids.areExitsProbed(ids.idOf(module, function_))
        const way = moved ? function_.exitWithoutHook : function_.exit
        return [function_.entry, ...(way.kind === 'ret' ? way.sites : [])]
      })
      removeBreakpoints(child, loadBias, sites, (address, size) => image.bytesAt(address, size))
    }
  }

  /** Attaches what is planned and not attached yet. @returns the ids of the functions that now carry probes */
  attach(): number[] {
    const { kernel, ids } = this.#context
    const functionIds: number[] = []
    this.#watchUnwinders()
    this.#setSwitches()
    const missing = this.planned.filter((planned) => !this.#attached.has(planned))
    for (const [planned, module] of this.#present(missing)) {
      this.#attached.add(planned)
      const { describedFor } = this.#context
      if (describedFor !== undefined) describeFunctions(kernel, planned, ids, describedFor)
      const { links, attached, refused } = attachPlan(kernel, { ...planned, module }, ids, this.pid)
      this.#links.push(...links)
      functionIds.push(...attached.map((function_) => ids.idOf(module, function_)))
      for (const { plan, reason } of refused) this.#leaveOut(module, { ...plan, reason })
    }
    this.#locateProbes()
    return functionIds
  }

  /** The planned functions whose calls switch tracing on or off. */
  switches(): { readonly id: number; readonly what: TracingSwitch }[] {
    const { ids, selection } = this.#context
    if (selection.switches.size === 0) return []
    return this.planned.flatMap(({ module, plan }) =>
      plan.functions.flatMap((function_) => {
        const what = selection.switchOf(namesOf(function_.symbol, function_.name))
        return what === undefined ? [] : [{ id: ids.idOf(module, function_), what }]
      }),
    )
  }

  #setSwitches(): void {
    for (const { id, what } of this.switches()) this.#context.kernel.switchTracingAt(id, what)
  }

  /** Attaches probes to the exits of those of the functions that this process has, so that returns need no hook. */
  probeExits(functionIds: ReadonlySet<number>): void {
    const { kernel, ids } = this.#context
    this.#modules()
    for (const [planned, module] of this.#present(this.#attached)) {
      const chosen = planned.plan.functions.filter((function_) =>
        functionIds.has(ids.idOf(module, function_)),
      )
      this.#links.push(...attachExits(kernel, module, chosen, ids, this.pid))
    }
  }

  /** The plan of a function, where this process has it. */
  planOf(functionId: number): FunctionPlan | undefined {
    for (const { module, plan } of this.planned) {
      const found = plan.functions.find(
        (function_) => this.#context.ids.idOf(module, function_) === functionId,
      )
      if (found !== undefined) return found
    }
    return undefined
  }

  /**
   * Takes the breakpoints out by which functions are entered, or left.
   * @returns whether they are all out
   */
  removeProbes(functionIds: ReadonlySet<number>, which: 'entries' | 'exits'): boolean {
    const { ids } = this.#context
    this.#modules()
    let areOut = true
    for (const [planned, module] of this.#present(this.#attached)) {
      const chosen = planned.plan.functions.filter((function_) =>
        functionIds.has(ids.idOf(module, function_)),
      )
      const sites = chosen.flatMap((function_): readonly ProbeSite[] => {
        if (which === 'entries') return [function_.entry]
        const exit = ids.areExitsProbed(ids.idOf(module, function_))
          ? function_.exitWithoutHook
          : function_.exit
        return exit.kind === 'ret' ? exit.sites : []
      })
      if (sites.length > 0 && !takeProbesOut(this.pid, module, sites)) areOut = false
    }
    return areOut
  }

  /** The function whose entry probe sits at this address, where an unwinder may ask for it: its id. */
  functionAt(probe: RuntimeAddress): number | undefined {
    for (const { ids } of this.#located.values()) {
      const id = ids.get(probe)
      if (id !== undefined) return id
    }
    return undefined
  }

  /** An unwinder does not wait: it must be known before. */
  #locateProbes(): void {
    for (const planned of this.#located.keys()) {
      if (!this.#mapped.has(planned.module.file)) this.#located.delete(planned)
    }
    if (!this.#evidence.harmless || this.#evidence.unwinders.length === 0) return
    for (const [planned, module] of this.#present(this.#attached)) {
      const { loadBias } = module
      if (this.#located.get(planned)?.loadBias === loadBias) continue
      const located = planned.plan.functions.map(
        (function_) =>
          [function_.entry.address + loadBias, this.#context.ids.idOf(module, function_)] as const,
      )
      this.#located.set(planned, { loadBias, ids: new Map(located) })
    }
  }

  /** The function that a call had begun, without having come to its entry probe, when it faulted at an address. */
  functionBegunAt(address: RuntimeAddress, returnsIntoProgram: boolean): number | undefined {
    for (const { module, plan } of this.planned) {
      const at = address - module.loadBias
      const begun = plan.functions.find(
        ({ address: first, entry, kind }) =>
          entry.mayFaultBefore &&
          at >= first &&
          at < entry.address &&
          (kind === 'function' || returnsIntoProgram),
      )
      if (begun !== undefined) return this.#context.ids.idOf(module, begun)
    }
    return undefined
  }

  /** Writes return addresses back where the kernel had replaced them. The thread waits. */
  restoreReturns(returns: readonly HookedReturn[]): void {
    for (const { slot, returnAddress } of returns) this.#writeAddress(slot, returnAddress)
  }

  /** Takes that back: they are still on the kernel's books. The thread waits. */
  hookReturns(returns: readonly HookedReturn[], trampoline: RuntimeAddress): void {
    for (const { slot } of returns) this.#writeAddress(slot, trampoline)
  }

  #writeAddress(at: RuntimeAddress, address: RuntimeAddress): void {
    this.#memory ??= openSync(`/proc/${this.pid}/mem`, 'r+')
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64LE(BigInt(address))
    writeSync(this.#memory, bytes, 0, bytes.length, at)
  }

  /** Lets a stopped process run. */
  resume(): void {
    try {
      process.kill(this.pid, 'SIGCONT')
    } catch {
      // It has been killed while it was stopped.
    }
  }

  /** Removes all probes. @param remove closes links */
  async detach(remove: (links: readonly BpfLink[]) => Promise<void> = detachAll): Promise<void> {
    if (this.#loader !== undefined) this.#links.push(this.#loader.link)
    this.#loader = undefined
    if (this.#memory !== undefined) closeSync(this.#memory)
    this.#memory = undefined
    await Promise.all([remove(this.#links.splice(0)), ...this.#detaching])
  }

  #modules(): ProcessModules {
    const modules = this.#context.reader.read(this.pid)
    this.#mapped.clear()
    for (const module of [modules.executable, ...modules.libraries]) this.#mapped.set(module.file, module)
    return modules
  }

  /** Those of planned modules that are in memory, with where they were at the last look. */
  *#present(all: Iterable<PlannedModule>): Iterable<[PlannedModule, Module]> {
    for (const planned of all) {
      const now = this.#mapped.get(planned.module.file)
      if (now !== undefined) yield [planned, now]
    }
  }

  #leaveOut({ file }: Module, { symbol, name, reason }: Untraced): void {
    this.untraced.set(`${file} ${symbol} ${reason}`, { symbol, name, reason })
  }

  #plan(modules: ProcessModules): void {
    const { kernel, selection, options, followForks } = this.#context
    this.#evidence = returnHookEvidence(modules, kernel, this.#circumstances)
    const { harmless, unwinders } = this.#evidence
    // Nobody would watch an unwinder that runs in a child, where the kernel hooks returns all the same.
    const cleansChildren = !followForks && harmless && unwinders.length > 0
    const neverStops = this.#circumstances.isShellJob
    kernel.addProcess(this.pid, { caller: modules.executable.code, followForks, cleansChildren, neverStops })
    const keyOf = (module: Module, part: string) => `${module.file} ${part}`
    const isKnown = (module: Module, part: string) => this.#plannedKeys.has(keyOf(module, part))
    for (const planned of planProcess(modules, selection, options, this.#evidence, isKnown)) {
      this.#plannedKeys.add(keyOf(planned.module, planned.part))
      this.planned.push(planned)
      for (const left of planned.plan.untraced) this.#leaveOut(planned.module, left)
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
    for (const { module: found, addresses, throwing } of this.#evidence.unwinders) {
      const module = this.#mapped.get(found.file)
      if (module === undefined || this.#watched.has(module.file)) continue
      this.#watched.add(module.file)
      const entries = addresses.flatMap((address) => {
        const offset = addressToFileOffset(module.image.facts, address)
        return offset === undefined ? [] : [{ offset, throws: throwing.includes(address) }]
      })
      this.#links.push(kernel.attachUnwinders(pathThrough(this.pid, module), entries, this.pid))
    }
    for (const found of this.#evidence.catchers) {
      const module = this.#mapped.get(found.file)
      if (module === undefined) continue
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
