import type { TraceNs } from '../base/units.ts'
import type { Kernel } from '../bpf/kernel.ts'
import { unlessGone } from '../target/process.ts'
import type { CostedFunction } from './budget.ts'
import { CallCounts } from './call-counts.ts'
import type { FunctionIds } from './function-ids.ts'
import type { Timeline } from './timeline.ts'
import type { TracedProcesses } from './traced-processes.ts'

/** A function that has lost its probes while tracing, because they cost too much. */
export interface DroppedFunction {
  readonly name: string
  /** All that were seen. */
  readonly calls: number
  readonly atNs: TraceNs
}

/** So long the exits of a function are watched after its entries are not. */
const lastCallsMs = 50

/** Takes the probes of functions out that cost more than a budget allows. */
export class FunctionDropper {
  /** Must see every event: it tells how many calls a function had. */
  readonly callCounts = new CallCounts()
  readonly #kernel: Kernel
  readonly #ids: FunctionIds
  readonly #processes: TracedProcesses
  readonly #timeline: Timeline
  /** Functions that have lost their probes, by id, and when. */
  readonly #dropped = new Map<number, TraceNs>()

  constructor(kernel: Kernel, ids: FunctionIds, processes: TracedProcesses, timeline: Timeline) {
    this.#kernel = kernel
    this.#ids = ids
    this.#processes = processes
    this.#timeline = timeline
  }

  /** What has been dropped so far. Once all events are read the counts are whole: some calls had begun before. */
  get dropped(): DroppedFunction[] {
    return [...this.#dropped].map(([id, atNs]) => ({
      name: this.#nameOf(id),
      calls: this.callCounts.of(id),
      atNs,
    }))
  }

  /**
   * Takes the probes of functions out, for good. Calls that are open have a moment to end in sight.
   * @param share of the time that probes took, of 1
   */
  drop(functions: readonly CostedFunction[], share: number): void {
    const fresh = functions.filter(({ id }) => !this.#ids.dropped.has(id))
    if (fresh.length === 0) return
    const dropped = new Set(fresh.map(({ id }) => id))
    for (const id of dropped) {
      this.#ids.dropped.add(id)
      this.#kernel.describeFunction(id, ['dropped'])
    }
    const areOut = this.#removeProbes(dropped, 'entries')
    const atNs = this.#timeline.now()
    const allNs = functions.reduce((sum, { costNs }) => sum + costNs, 0)
    for (const { id, costNs } of fresh) {
      this.#dropped.set(id, atNs)
      this.#timeline.note(
        `${this.#nameOf(id)} is not traced any more, after ${this.callCounts.of(id)} calls: ` +
          `probes took ${Math.round(share * 100)} % of the time, ${Math.round((100 * costNs) / allNs)} % of that its own` +
          (areOut ? '' : '; its probes stay, and cost a little'),
      )
    }
    setTimeout(() => {
      this.#removeProbes(dropped, 'exits')
      this.#timeline.mark('dropped', dropped)
    }, lastCallsMs)
  }

  /** @returns whether they are all out, in all processes */
  #removeProbes(functionIds: ReadonlySet<number>, which: 'entries' | 'exits'): boolean {
    let areOut = true
    for (const tracer of this.#processes) {
      unlessGone(tracer.pid, () => {
        if (!tracer.removeProbes(functionIds, which)) areOut = false
      })
    }
    return areOut
  }

  #nameOf(id: number): string {
    return this.#ids.table[id]!.fn.name
  }
}
