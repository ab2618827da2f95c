import type { Pid } from '../base/units.ts'
import type { HookedReturn, Kernel, StackReport } from '../bpf/kernel.ts'
import { listReturns } from '../bpf/list-returns.ts'
import { unlessGone } from '../target/process.ts'
import { restoreReturns } from '../target/restore-returns.ts'
import type { FunctionIds } from './function-ids.ts'
import type { ProcessTracer } from './process-tracer.ts'
import type { Timeline } from './timeline.ts'
import type { TracedProcesses } from './traced-processes.ts'
import type { UnwindingCosts } from './unwinding-costs.ts'

export interface UnhookingOptions {
  readonly costs: UnwindingCosts
  /** Whether nobody else minds if a process is stopped again and again. */
  readonly mayStop: (pid: Pid) => boolean
  /** Whether the kernel itself tells for how long a thread was stopped. */
  readonly isStopTold: boolean
}

/** Somebody else's process may be stopped so often: the first time nothing is quick. */
const fewStops = 4

/**
 * Takes hooked returns back where they would do harm: true return addresses are written back, and hooked again once an
 * exception is caught, or exits are probed instead.
 */
export class ReturnUnhooker {
  readonly #kernel: Kernel
  readonly #ids: FunctionIds
  readonly #processes: TracedProcesses
  readonly #timeline: Timeline
  readonly #costs: UnwindingCosts
  readonly #mayStop: (pid: Pid) => boolean
  readonly #isStopTold: boolean
  readonly #stops = new Map<Pid, number>()

  constructor(
    kernel: Kernel,
    ids: FunctionIds,
    processes: TracedProcesses,
    timeline: Timeline,
    { costs, mayStop, isStopTold }: UnhookingOptions,
  ) {
    this.#costs = costs
    this.#mayStop = mayStop
    this.#isStopTold = isStopTold
    this.#kernel = kernel
    this.#ids = ids
    this.#processes = processes
    this.#timeline = timeline
  }

  /**
   * An unwinder is about to read the stack: it finds what the program put there. For an exception that is passed on, and
   * caught, it finds the same the next time; for anything else, and where that costs too much, it always will: exits are
   * probed from now on.
   * @returns whether the thread goes on; otherwise its process is stopped, or about to be
   */
  unwinds(report: StackReport): boolean {
    const tracer = this.#processes.get(report.pid)
    if (tracer === undefined) return false
    const functions = this.#functionsOf(tracer, report.returns)
    const staysHooked = report.mayHookAgain && !this.#costs.areTooHigh(functions)
    const goesOn = this.#change(report, staysHooked, () => tracer.restoreReturns(report.returns))
    if (!staysHooked || !(goesOn || this.#bearsStop(report.pid))) this.probeExits(functions)
    else this.#costs.waited(functions, this.#timeline.now() - report.atNs)
    return goesOn
  }

  /** An exception was caught: the calls that go on had their returns hooked, and have that again. @returns as `unwinds` */
  caught(report: StackReport): boolean {
    const tracer = this.#processes.get(report.pid)
    if (tracer === undefined) return false
    const left = report.returns.filter(
      ({ probe }) => !this.#ids.areExitsProbed(tracer.functionAt(probe) ?? -1),
    )
    const goesOn = this.#change(report, true, () => tracer.hookReturns(left, report.trampoline))
    this.#costs.waited(this.#functionsOf(tracer, left), this.#timeline.now() - report.atNs)
    return goesOn
  }

  /** Changes the stack of a thread. @param isQuick otherwise the thread shall not wait for it on its CPU */
  #change({ wait }: StackReport, isQuick: boolean, change: () => void): boolean {
    const isWaiting = isQuick && wait !== undefined && this.#kernel.waits.take(wait)
    change()
    return isWaiting && this.#kernel.waits.answer(wait)
  }

  /** A process is stopped. @returns whether that may happen again */
  #bearsStop(pid: Pid): boolean {
    if (this.#mayStop(pid)) return true
    const stops = (this.#stops.get(pid) ?? 0) + 1
    this.#stops.set(pid, stops)
    return stops < fewStops
  }

  #functionsOf(tracer: ProcessTracer, returns: readonly HookedReturn[]): number[] {
    return [...new Set(returns.flatMap(({ probe }) => tracer.functionAt(probe) ?? []))]
  }

  /** A thread was stopped for a report up to now. */
  heldUp({ tid, atNs }: StackReport): void {
    const now = this.#timeline.now()
    if (!this.#isStopTold) this.#timeline.waited(tid, atNs, now)
    this.#kernel.continued(tid, now)
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
