import type { FunctionPlan, ProbeSite } from './plan.ts'

/**
 * Price of one probe hit with an empty BPF program, in nanoseconds, on the virtual machine of docs/performance.md: an
 * estimate to compare functions by, not a promise. On bare metal a single step costs about a tenth of this.
 */
const OPTIMISED_NS = 1_250
const EMULATED_NS = 5_400
const STEPPED_NS = 20_500
const RETURN_PROBE_NS = 1_200

function hitCostNs({ emulated, optimised }: Pick<ProbeSite, 'emulated' | 'optimised'>): number {
  return optimised ? OPTIMISED_NS : emulated ? EMULATED_NS : STEPPED_NS
}

/** Estimated price of one call: its entry, and its exit where one is probed. */
export function expectedCostNs({ entry, exit }: Pick<FunctionPlan, 'entry' | 'exit'>): number {
  const entryNs = hitCostNs(entry)
  if (exit.kind === 'return') return entryNs + RETURN_PROBE_NS
  if (exit.kind !== 'ret') return entryNs
  // A call passes one of the sites.
  return entryNs + Math.max(0, ...exit.sites.map(hitCostNs))
}
