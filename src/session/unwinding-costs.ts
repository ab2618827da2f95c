/** So much may be spent on keeping the returns of some functions hooked before it is clear that it does not pay. */
const patienceNs = 20e6

/** A wait that takes longer says more about the moment, such as the first one, than about the next ones. */
const longestWaitNs = 3e6

/** What a call costs more where its exit is probed, where that was not measured. */
const usualSurchargeNs = 5_000

export interface UnwindingCostsOptions {
  /** How many calls a function had so far. */
  readonly callsOf: (functionId: number) => number
  /** What a probed `ret` costs more than a hooked return; undefined where that is not known. */
  readonly surchargeNs: () => number | undefined
}

/**
 * Whether it pays to hook the returns of functions that exceptions pass: each exception makes the thread wait until
 * returns are put right, and hooked again; a probed `ret` makes every call wait for a single step.
 */
export class UnwindingCosts {
  readonly #options: UnwindingCostsOptions
  /** Calls that have been counted, by function. */
  readonly #counted = new Map<number, number>()
  /** What waiting has cost more than probed exits would have, by the innermost function that is passed. */
  readonly #excessNs = new Map<number, number>()

  constructor(options: UnwindingCostsOptions) {
    this.#options = options
  }

  /** A thread has waited for these functions, the innermost first. */
  waited(functionIds: readonly number[], ns: number): void {
    const [innermost] = functionIds
    if (innermost === undefined) return
    const calls = functionIds.reduce((sum, id) => sum + this.#newCalls(id), 0)
    const sparedNs = calls * (this.#options.surchargeNs() ?? usualSurchargeNs)
    const excessNs = (this.#excessNs.get(innermost) ?? 0) + Math.min(ns, longestWaitNs) - sparedNs
    this.#excessNs.set(innermost, Math.max(0, excessNs))
  }

  /** Whether their exits are to be probed from now on. @param functionIds the innermost first */
  areTooHigh([innermost]: readonly number[]): boolean {
    return innermost !== undefined && (this.#excessNs.get(innermost) ?? 0) > patienceNs
  }

  #newCalls(functionId: number): number {
    const calls = this.#options.callsOf(functionId)
    const fresh = calls - (this.#counted.get(functionId) ?? 0)
    this.#counted.set(functionId, calls)
    return Math.max(0, fresh)
  }
}
