import type { MeteredFunction } from './probe-meter.ts'

/** A function, and what its probes have cost in a stretch of time. */
export interface CostedFunction {
  readonly id: number
  readonly costNs: number
  readonly isLeaf: boolean
}

/** What is left must be clearly within the budget: it should not have to be looked at again and again. */
const margin = 0.7
/** Functions that others are called from tell more: they go when they cost so many times as much. */
const weightOfCallers = 4

/**
 * The functions that must lose their probes so that the others cost at most a share of the time: those that cost most
 * and tell least first.
 * @param wallNs how long the stretch was
 * @param share of it that probes may take, of 1
 */
export function chooseToDrop(
  functions: readonly CostedFunction[],
  wallNs: number,
  share: number,
): CostedFunction[] {
  const weight = ({ costNs, isLeaf }: CostedFunction) => (isLeaf ? costNs : costNs / weightOfCallers)
  const allowedNs = wallNs * share
  let costNs = functions.reduce((sum, each) => sum + each.costNs, 0)
  if (costNs <= allowedNs) return []
  const dropped: CostedFunction[] = []
  for (const each of [...functions].sort((a, b) => weight(b) - weight(a))) {
    if (costNs <= allowedNs * margin) break
    dropped.push(each)
    costNs -= each.costNs
  }
  return dropped
}

/**
 * What a call costs by the kind of its probes, in nanoseconds. Where calls come close together the time from one to the
 * next is the cost, and the program's own time, which is less: the shortest that was seen of any function of the kind
 * is taken, but no less than what is usual, and no more than what the slowest machines need.
 */
export class CallCosts {
  readonly #shortestNs = new Map<string, number>()

  /** @param kind names the kind of its probes */
  learn(kind: string, { shortestPeriodNs }: MeteredFunction): void {
    const known = this.#shortestNs.get(kind) ?? Number.POSITIVE_INFINITY
    if (shortestPeriodNs < known) this.#shortestNs.set(kind, shortestPeriodNs)
  }

  of(kind: string, usualNs: number, slowestNs: number): number {
    return Math.max(usualNs, Math.min(this.#shortestNs.get(kind) ?? 0, slowestNs))
  }
}
