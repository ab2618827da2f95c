import type { EntryProbe } from '../base/entry-probe.ts'
import type { FunctionRecord } from './functions.ts'

/**
 * What the hit of a probe costs the thread, in nanoseconds, on either side of the moment at which the clock is read. Of
 * what lies between two readings of the clock the sum is known exactly, how it is shared among the two hits is an
 * assumption: for calls whose entry and exit were both seen it does not matter.
 */
export interface ProbeCost {
  readonly beforeNs: number
  readonly afterNs: number
}

/** What probes cost on the machine of a trace, measured when it began (`calibration/`). */
export interface ProbeCosts {
  readonly entry: Readonly<Record<EntryProbe, ProbeCost>>
  /** What looking at its caller adds to the entry of a call into a library, before the clock is read. */
  readonly libraryCallNs: number
  /** The way out of a call whose return is hooked, with what hooking it took at its entry. */
  readonly return: ProbeCost
  /** A probed `ret`, and a probed jump. */
  readonly ret: ProbeCost
  readonly jump: ProbeCost
  /** What some hits take on top, by interrupts of the machine; absent where that was not measured. */
  readonly disturbance?: Disturbance
}

/** Of many hits one or two in a hundred are disturbed, and take several times as long as the others. */
export interface Disturbance {
  /** How many, for each second that undisturbed hits take. */
  readonly perSecond: number
  /** How long one takes more. */
  readonly ns: number
}

/**
 * What disturbances have most likely cost a call within which probes took so long otherwise: nothing where few were hit, and
 * about the mean where many were. Their number has a Poisson distribution, the median of which is about its mean less a third.
 */
export function likelyDisturbanceNs(costs: ProbeCosts | undefined, probesNs: number): number {
  if (costs?.disturbance === undefined) return 0
  const { perSecond, ns } = costs.disturbance
  return Math.floor((probesNs * perSecond) / 1e9 + 1 / 3) * ns
}

/** What is left of a duration when the cost of probes is taken off is not known better than to this. */
export const compensatedResolutionNs = 100

/** A probe that nothing is known of. */
export const freeProbe: ProbeCost = { beforeNs: 0, afterNs: 0 }

/** What the entry of a function costs. */
export function entryCostOf(costs: ProbeCosts, { entryProbe, fn }: FunctionRecord): ProbeCost {
  const cost = costs.entry[entryProbe]
  if (fn.kind === 'function') return cost
  return { beforeNs: cost.beforeNs + costs.libraryCallNs, afterNs: cost.afterNs }
}

/** For people: what each kind of probe takes in all, with the part of it that lies within the call's own duration. */
export function probeCostsText(costs: ProbeCosts): string {
  const { entry, libraryCallNs, return: hooked, ret, jump, disturbance } = costs
  const us = (ns: number) => (ns / 1000).toFixed(2)
  const text = (name: string, whole: ProbeCost, insideNs: number) =>
    `${name} ${us(whole.beforeNs + whole.afterNs)} us (${us(insideNs)} inside)`
  return [
    text('entry', entry.emulated, entry.emulated.afterNs),
    text('stepped entry', entry.stepped, entry.stepped.afterNs),
    text('entry at a nop', entry.nop, entry.nop.afterNs),
    `library call +${us(libraryCallNs)} us`,
    text('hooked return', hooked, hooked.beforeNs),
    text('ret', ret, ret.beforeNs),
    text('jump', jump, jump.beforeNs),
    ...(disturbance === undefined
      ? []
      : [`disturbed ${disturbance.perSecond} times a second for ${us(disturbance.ns)} us`]),
  ].join(', ')
}
