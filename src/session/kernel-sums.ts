import type { FunctionSums } from '../base/function-sums.ts'
import type { Kernel } from '../bpf/kernel.ts'
import type { BpfLink } from '../bpf/link.ts'
import type { KernelStatistics } from '../bpf/statistics.ts'
import type { TracedFunction } from '../trace/call.ts'
import type { FunctionTable } from '../trace/functions.ts'
import type { PlannedModule } from './plan-process.ts'
import type { SummingUp } from './session-options.ts'

/** Functions that come with libraries and programs which are loaded later are summed up too, as far as there is room. */
const roomForMore = 1.25
const roomForLibraries = 1024

/** What the calls of a function have come to so far. */
export interface SumsOfFunction {
  readonly fn: TracedFunction
  readonly sums: FunctionSums
}

/** The sums that the kernel makes of calls: `utrace stat`. */
export class KernelSums {
  readonly #functions: FunctionTable
  #statistics: KernelStatistics | undefined

  /** @param functions the table of a session; it may grow */
  constructor(functions: FunctionTable) {
    this.#functions = functions
  }

  /**
   * From now on the kernel sums calls up. Before probes are attached.
   * @param planned what room is needed for
   * @returns what it hears threads end by
   */
  begin(kernel: Kernel, planned: readonly PlannedModule[], { alsoTrace }: SummingUp): BpfLink[] {
    const functions = planned.reduce((sum, { plan }) => sum + plan.functions.length, 0)
    const room = Math.ceil(functions * roomForMore) + roomForLibraries
    const { statistics, links } = kernel.sumUp(room, alsoTrace)
    this.#statistics = statistics
    return links
  }

  /** How many calls of a function have begun so far. */
  callsOf(functionId: number): number {
    return this.#statistics?.of(functionId).begun ?? 0
  }

  /** All sums so far, by function; none before `begin`. */
  read(): SumsOfFunction[] {
    const statistics = this.#statistics
    if (statistics === undefined) return []
    return this.#functions.map(({ fn }) => ({ fn, sums: statistics.of(fn.id) }))
  }
}
