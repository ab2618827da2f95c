import type { EventConsumer } from '../base/event.ts'
import { expectedCostNs, slowestCosts } from '../probe/cost.ts'
import type { FunctionPlan } from '../probe/plan.ts'
import { CallCosts, type CostedFunction, chooseToDrop } from './budget.ts'
import { ProbeMeter } from './probe-meter.ts'

/** What the keeper of a budget needs to know, and has done. */
export interface BudgetHooks {
  planOf(functionId: number): FunctionPlan | undefined
  /** The functions are to lose their probes. `share` of the time is what those cost that were called. */
  drop(functions: readonly CostedFunction[], share: number): void
  /** Without a budget: the program runs more than ten times slower. */
  warn(): void
}

/** Nine tenths would be a tenth of the program's own speed; what probes cost is estimated rather too low. */
const slowShare = 0.8
const checkIntervalMs = 100

/** Watches what probes cost the target, and sees to it that it stays within a budget, or says that it is much. */
export class BudgetKeeper {
  readonly #meter = new ProbeMeter()
  readonly #costs = new CallCosts()
  readonly #share: number | undefined
  readonly #hooks: BudgetHooks
  #checkedAt = performance.now()
  #isWarned = false

  /** @param share of the time that probes may take, of 1; undefined: as much as they need */
  constructor(share: number | undefined, hooks: BudgetHooks) {
    this.#share = share
    this.#hooks = hooks
  }

  get consumer(): EventConsumer {
    return this.#meter
  }

  /** Called often. */
  tick(): void {
    const now = performance.now()
    const passedNs = (now - this.#checkedAt) * 1e6
    if (now - this.#checkedAt < checkIntervalMs) return
    this.#checkedAt = now
    const { functions, threads, spanNs } = this.#meter.take()
    // What is read late has happened in more time than has passed since.
    const wallNs = Math.max(passedNs, spanNs)
    const costed: CostedFunction[] = []
    for (const metered of functions) {
      const plan = this.#hooks.planOf(metered.id)
      if (plan === undefined) continue
      const kind = kindOf(plan)
      this.#costs.learn(kind, metered)
      const costNs =
        metered.hits * this.#costs.of(kind, expectedCostNs(plan), expectedCostNs(plan, slowestCosts))
      costed.push({ id: metered.id, costNs, isLeaf: metered.isLeaf })
    }
    const share = costed.reduce((sum, { costNs }) => sum + costNs, 0) / wallNs
    if (this.#share !== undefined) {
      const dropped = chooseToDrop(costed, wallNs, this.#share)
      if (dropped.length > 0) this.#hooks.drop(dropped, share)
    } else if (share > slowShare * Math.max(1, threads) && !this.#isWarned) {
      this.#isWarned = true
      this.#hooks.warn()
    }
  }
}

/** Functions whose calls cost the same. */
function kindOf({ entry, exit }: FunctionPlan): string {
  return `${entry.emulated} ${exit.kind}`
}
