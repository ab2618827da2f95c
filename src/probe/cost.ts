import type { FunctionPlan } from './plan.ts'

/**
 * Price of one probe hit with an empty BPF program on a virtual machine, in nanoseconds: an estimate to compare functions
 * by, not a promise. On bare metal a single step costs about a tenth of this.
 */
const EMULATED_NS = 500
const STEPPED_NS = 10_000
const RETURN_PROBE_NS = 350

/** Estimated price of one call: its entry, and its exit where one is probed. */
export function expectedCostNs(plan: Pick<FunctionPlan, 'entry' | 'exit'>): number {
  const entryNs = plan.entry.emulated ? EMULATED_NS : STEPPED_NS
  if (plan.exit.kind === 'return') return entryNs + RETURN_PROBE_NS
  if (plan.exit.kind !== 'ret') return entryNs
  // A call passes one of the sites.
  return entryNs + (plan.exit.sites.every((site) => site.emulated) ? EMULATED_NS : STEPPED_NS)
}
