import { setTimeout as pause } from 'node:timers/promises'
import type { Pid } from '../base/units.ts'
import { processState, unlessGone } from '../target/process.ts'
import type { Guard } from './guard.ts'
import type { TracedProcesses } from './traced-processes.ts'
import type { ReturnUnhooker } from './unhook-returns.ts'

/** Children that are not traced: they are born with their parent's probes, and go on as if it were not traced. */
export class UnfollowedChildren {
  readonly #guard: Guard
  readonly #processes: TracedProcesses
  readonly #returns: ReturnUnhooker
  /** Those that are being made free of probes. */
  readonly #leaving = new Set<Promise<void>>()

  constructor(guard: Guard, processes: TracedProcesses, returns: ReturnUnhooker) {
    this.#guard = guard
    this.#processes = processes
    this.#returns = returns
  }

  /** The child has been stopped at its birth: frees it of probes and continues it, soon. */
  leave(parent: Pid, child: Pid): void {
    const leaving = this.#leave(parent, child).finally(() => this.#leaving.delete(leaving))
    this.#leaving.add(leaving)
  }

  /** Done when all of them go on. */
  async allLeft(): Promise<void> {
    await Promise.all(this.#leaving)
  }

  async #leave(parent: Pid, child: Pid): Promise<void> {
    this.#guard.add(child)
    const tracer = this.#processes.get(parent)
    // Its copy of the hooked returns is complete when it comes to user space, and stops there: others may run before it.
    while (processState(child) === 'R') await pause(1)
    unlessGone(child, () => {
      this.#returns.restoreAllOf(child)
      tracer?.cleanChild(child)
      process.kill(child, 'SIGCONT')
    })
    this.#guard.remove(child)
  }
}
