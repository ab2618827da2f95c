import type { Pid } from '../base/units.ts'
import type { HookedReturn, Kernel } from '../bpf/kernel.ts'
import { listReturns } from '../bpf/list-returns.ts'
import { unlessGone } from '../target/process.ts'
import { restoreReturns } from '../target/restore-returns.ts'
import type { FunctionIds } from './function-ids.ts'
import type { Timeline } from './timeline.ts'
import type { TracedProcesses } from './traced-processes.ts'

/** Gives up hooked returns where they would do harm: true return addresses are written back, exits probed instead. */
export class ReturnUnhooker {
  readonly #kernel: Kernel
  readonly #ids: FunctionIds
  readonly #processes: TracedProcesses
  readonly #timeline: Timeline

  constructor(kernel: Kernel, ids: FunctionIds, processes: TracedProcesses, timeline: Timeline) {
    this.#kernel = kernel
    this.#ids = ids
    this.#processes = processes
    this.#timeline = timeline
  }

  /**
   * An unwinder is about to read the stack: it finds what the program put there, and from now on always will. The
   * process is stopped.
   */
  restore(pid: Pid, returns: readonly HookedReturn[]): void {
    const tracer = this.#processes.get(pid)
    if (tracer === undefined) return
    tracer.restoreReturns(returns)
    this.probeExits(tracer.functionsAt(new Set(returns.map(({ probe }) => probe))))
  }

  /** Processes that live on are left as they were found. */
  restoreAll(): void {
    for (const { pid } of this.#processes) unlessGone(pid, () => this.restoreAllOf(pid))
  }

  restoreAllOf(pid: Pid): void {
    const { listReturnsProgram } = this.#kernel.rescueFds
    if (listReturnsProgram !== undefined) restoreReturns(pid, () => listReturns(listReturnsProgram, pid))
  }

  /** Moves functions from hooked returns to probed exits, in all processes. */
  probeExits(functionIds: Iterable<number>): void {
    const moved = new Set<number>()
    for (const id of functionIds) if (!this.#ids.areExitsProbed(id)) moved.add(id)
    if (moved.size === 0) return
    for (const tracer of this.#processes) unlessGone(tracer.pid, () => tracer.probeExits(moved))
    for (const id of moved) {
      this.#ids.probeExits(id)
      this.#kernel.leaveReturnAlone(id)
    }
    this.#timeline.mark('exitsProbed', moved)
  }

  /** A stack has nearly as many hooked returns as the kernel allows. @param functionIds those of its calls */
  relieveStack(functionIds: readonly number[]): void {
    this.probeExits(recursiveFunctions(functionIds))
  }
}

/** Those that are on the stack more than once: recursion is what makes it deep. Without one, all of them. */
function recursiveFunctions(ids: readonly number[]): Set<number> {
  const seen = new Set<number>()
  const repeated = new Set<number>()
  for (const id of ids) (seen.has(id) ? repeated : seen).add(id)
  return repeated.size > 0 ? repeated : seen
}
