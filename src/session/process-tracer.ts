import { setImmediate as nextTurn } from 'node:timers/promises'
import { UserError } from '../base/errors.ts'
import type { Pid } from '../base/units.ts'
import type { Kernel, Stop } from '../bpf/kernel.ts'
import { type BpfLink, detachAll } from '../bpf/link.ts'
import { addressToFileOffset } from '../elf/address.ts'
import { readExports } from '../elf/exports.ts'
import type { Untraced } from '../probe/plan.ts'
import { attachPlan } from './attach-plan.ts'
import type { FunctionIds } from './function-ids.ts'
import { type Module, ModuleReader, type ProcessModules } from './modules.ts'
import { type PlannedModule, type PlanOptions, planProcess } from './plan-process.ts'
import type { Selection } from './selection.ts'

/** The function that dynamic linkers call, for debuggers, whenever they have changed the list of modules. */
const loaderHook = '_dl_debug_state'

/** What one process's probes are, and what could not be probed. */
export class ProcessTracer {
  readonly pid: Pid
  readonly planned: PlannedModule[] = []
  readonly untraced: Untraced[] = []
  tracedFunctions = 0
  readonly #kernel: Kernel
  readonly #selection: Selection
  readonly #options: PlanOptions
  readonly #ids: FunctionIds
  readonly #modules = new ModuleReader()
  readonly #planned = new Set<string>()
  #attached = 0
  readonly #entryLinks: BpfLink[] = []
  readonly #exitLinks: BpfLink[] = []
  /** Probes that are on their way out: nobody has to wait for them before the end. */
  readonly #detaching: Promise<void>[] = []

  constructor(pid: Pid, kernel: Kernel, selection: Selection, options: PlanOptions, ids: FunctionIds) {
    this.pid = pid
    this.#kernel = kernel
    this.#selection = selection
    this.#options = options
    this.#ids = ids
  }

  /** The modules that the process has now. */
  modules(): ProcessModules {
    return this.#modules.read(this.pid)
  }

  /**
   * Lets a command that was stopped before its first instruction run on until its libraries are loaded and none of
   * their code, nor its own, has run.
   */
  async runToLoaded(waitForStop: () => Promise<Stop>): Promise<ProcessModules> {
    let modules = this.modules()
    if (modules.interpreter === undefined || !this.#selection.anyLibraries) return modules
    const loader = this.#attachLoader(modules.interpreter, modules.executable)
    do {
      this.resume()
      await waitForStop()
      modules = this.modules()
    } while (!modules.complete && !loader.atEntry)
    if (this.#selection.anyNesting && !loader.atEntry) this.#entryLinks.push(loader.link)
    else this.#detaching.push(loader.link.detach())
    return modules
  }

  /** Plans what these modules hold and has not been planned before. */
  plan(modules: ProcessModules): void {
    this.#kernel.addProcess(this.pid, modules.executable.code)
    for (const planned of planProcess(modules, this.#selection, this.#options)) {
      const key = `${planned.module.file} ${planned.part}`
      if (this.#planned.has(key)) continue
      this.#planned.add(key)
      this.planned.push(planned)
      this.untraced.push(...planned.plan.untraced)
    }
  }

  /** Attaches what is planned and not attached yet. */
  attach(): void {
    for (const planned of this.planned.slice(this.#attached)) {
      const { entryLinks, exitLinks, attached, refused } = attachPlan(
        this.#kernel,
        planned,
        this.#ids,
        this.pid,
      )
      this.#entryLinks.push(...entryLinks)
      this.#exitLinks.push(...exitLinks)
      this.tracedFunctions += attached.length
      this.untraced.push(
        ...refused.map(({ plan, reason }) => ({ symbol: plan.symbol, name: plan.name, reason })),
      )
    }
    this.#attached = this.planned.length
  }

  /** Lets a stopped process run. */
  resume(): void {
    process.kill(this.pid, 'SIGCONT')
  }

  /** Removes all probes: entries first, so that no call loses only its exit. */
  async detach(): Promise<void> {
    await detachAll(this.#entryLinks.splice(0))
    await detachAll(this.#exitLinks.splice(0))
    await Promise.all(this.#detaching)
  }

  /** Where there is no such hook, the executable's entry point serves once: everything is loaded by then. */
  #attachLoader(interpreter: Module, executable: Module): { link: BpfLink; atEntry: boolean } {
    const hook = readExports(interpreter.image).find(loaderHook)
    const module = hook === undefined ? executable : interpreter
    const offset = addressToFileOffset(module.image.facts, hook?.address ?? executable.image.facts.entry)
    if (offset === undefined)
      throw new UserError(`${module.path} is damaged: its code lies outside of its segments`)
    return { link: this.#kernel.attachLoader(module.filePath, offset, this.pid), atEntry: hook === undefined }
  }
}

/** Waits for the kernel to report a stopped process, or for `ended` to say that there is nothing to wait for. */
export async function nextStop(kernel: Kernel, ended: () => boolean): Promise<Stop | undefined> {
  for (;;) {
    const over = ended()
    const stop = kernel.nextStop()
    if (stop !== undefined || over) return stop
    await nextTurn()
  }
}
