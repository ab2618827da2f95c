import type { FunctionPlan, ProbeSite } from './plan.ts'

/** Price of one probe hit with an empty BPF program, in nanoseconds, by its kind: measured, or an estimate. */
export interface ProbeCosts {
  /** A breakpoint whose instruction the kernel emulates. */
  readonly emulatedNs: number
  /** One whose instruction is single-stepped. */
  readonly steppedNs: number
  /** A hooked return. */
  readonly returnNs: number
}

/**
 * What is usual on a virtual machine: an estimate to compare functions by, not a promise. On bare metal a single step
 * costs about a tenth of this.
 */
const usualCosts: ProbeCosts = { emulatedNs: 500, steppedNs: 10_000, returnNs: 350 }
/** The slowest that was met: a virtual machine within another one. */
export const slowestCosts: ProbeCosts = { emulatedNs: 6_000, steppedNs: 25_000, returnNs: 4_000 }

/** What a nop that became a call costs, of a trap: measured. */
const optimisedShare = 0.25

/** Estimated price of one call: its entry, and its exit where one is probed. */
export function expectedCostNs(plan: Pick<FunctionPlan, 'entry' | 'exit'>, costs = usualCosts): number {
  const { emulatedNs, steppedNs, returnNs } = costs
  const hitNs = ({ emulated, optimised }: Pick<ProbeSite, 'emulated' | 'optimised'>) =>
    optimised ? emulatedNs * optimisedShare : emulated ? emulatedNs : steppedNs
  const entryNs = hitNs(plan.entry)
  if (plan.exit.kind === 'return') return entryNs + returnNs
  if (plan.exit.kind !== 'ret') return entryNs
  // A call passes one of the sites.
  return entryNs + Math.max(0, ...plan.exit.sites.map(hitNs))
}
