import type { Pid, RuntimeAddress } from '../base/units.ts'
import { type BpfLink, detachAll } from '../bpf/link.ts'
import type { FunctionPlan, Untraced } from '../probe/plan.ts'
import type { Guard } from './guard.ts'
import type { ProcessTracer } from './process-tracer.ts'
import type { Timeline } from './timeline.ts'

/** What has happened in a process is read long before this time after its end. */
const eventsOnTheirWayMs = 1_000

/** The processes that are traced now, and what was traced, or not, in any of them. */
export class TracedProcesses implements Iterable<ProcessTracer> {
  /** Functions that have carried probes, by id. */
  readonly functions = new Set<number>()
  readonly #untraced = new Map<string, Untraced>()
  readonly #guard: Guard
  readonly #timeline: Timeline
  readonly #stacksSwitch: () => void
  readonly #tracers = new Map<Pid, ProcessTracer>()
  /** Those that have ended, as long as events of theirs may be on their way. */
  readonly #ended = new Map<Pid, ProcessTracer>()
  /** Probes of processes that have ended. */
  readonly #detaching = new Set<Promise<void>>()
  #switchesStacks = false

  /** @param stacksSwitch called once, before calls are traced of a program that switches stacks */
  constructor(guard: Guard, timeline: Timeline, stacksSwitch: () => void) {
    this.#guard = guard
    this.#timeline = timeline
    this.#stacksSwitch = stacksSwitch
  }

  [Symbol.iterator](): Iterator<ProcessTracer> {
    return this.#tracers.values()
  }

  get isEmpty(): boolean {
    return this.#tracers.size === 0
  }

  /** What was looked at and is not traced, each function once however many processes have it. */
  get untraced(): readonly Untraced[] {
    return [...this.#untraced.values()]
  }

  get(pid: Pid): ProcessTracer | undefined {
    return this.#tracers.get(pid)
  }

  add(tracer: ProcessTracer): void {
    this.#tracers.set(tracer.pid, tracer)
    this.#guard.add(tracer.pid)
  }

  /** The process has ended. Nobody waits for its probes to go. */
  ended(pid: Pid): void {
    this.#forget(pid, (links) => this.#guard.detach(links))
  }

  /** The process has a new image: the probes in the old one must not be hit in the new one. */
  forgetImage(pid: Pid): void {
    this.#forget(pid, detachAll)
  }

  #forget(pid: Pid, remove: (links: readonly BpfLink[]) => Promise<void>): void {
    const tracer = this.#tracers.get(pid)
    if (tracer === undefined) return
    this.#tracers.delete(pid)
    this.#guard.remove(pid)
    this.#detaching.add(tracer.detach(remove))
    this.#ended.set(pid, tracer)
    setTimeout(() => {
      if (this.#ended.get(pid) === tracer) this.#ended.delete(pid)
    }, eventsOnTheirWayMs).unref()
  }

  /** The process lives on, and nothing of it is traced: it carries no probes. */
  letGo(pid: Pid): void {
    this.#tracers.delete(pid)
  }

  /** Attaches what is planned for a process and not attached yet. */
  attach(tracer: ProcessTracer): void {
    if (tracer.switchesStacks && !this.#switchesStacks) {
      this.#switchesStacks = true
      this.#timeline.mark('stacksSwitch')
      this.#stacksSwitch()
    }
    for (const id of tracer.attach()) this.functions.add(id)
    for (const [key, left] of tracer.untraced) this.#untraced.set(key, left)
    tracer.untraced.clear()
  }

  /** Removes all probes, those of processes that have ended included. */
  async detach(): Promise<void> {
    await Promise.all([...[...this].map((tracer) => tracer.detach()), ...this.#detaching])
  }

  planOf(functionId: number): FunctionPlan | undefined {
    for (const tracer of this) {
      const plan = tracer.planOf(functionId)
      if (plan !== undefined) return plan
    }
    return undefined
  }

  /** @see ProcessTracer.functionBegunAt */
  functionBegunAt(pid: Pid, address: RuntimeAddress, returnsIntoProgram: boolean): number | undefined {
    const tracer = this.#tracers.get(pid) ?? this.#ended.get(pid)
    return tracer?.functionBegunAt(address, returnsIntoProgram)
  }
}
