import type { EntryProbe } from '../base/entry-probe.ts'
import type { FunctionPlan, ProbeSite, WayOut } from '../probe/plan.ts'
import type { FunctionRecord, FunctionTable } from '../trace/functions.ts'
import type { Module } from './modules.ts'

const waysOut: readonly WayOut['kind'][] = ['return', 'ret', 'entry', 'none']

/** Numbers functions: an id is the attach cookie of a function's probes and its index in the table. */
export class FunctionIds {
  readonly #records: FunctionRecord[] = []
  /** By file, then by address and way out. */
  readonly #ids = new Map<string, Map<number, number>>()
  readonly #exitsProbed = new Set<number>()

  /** Grows as modules are planned. */
  get table(): FunctionTable {
    return this.#records
  }

  /** The id of a function: the same for every process that runs this file and whose calls end in the same way. */
  idOf(module: Module, plan: FunctionPlan): number {
    const ofFile = this.#ids.get(module.file) ?? new Map<number, number>()
    this.#ids.set(module.file, ofFile)
    const key = plan.address * waysOut.length + waysOut.indexOf(plan.exit.kind)
    const known = ofFile.get(key)
    if (known !== undefined) return known
    const id = this.#records.length
    ofFile.set(key, id)
    this.#records.push({
      fn: {
        id,
        name: plan.name,
        symbol: plan.symbol,
        module: module.name,
        kind: plan.kind,
        address: plan.address,
      },
      entryDisplacement: plan.entry.stackDisplacement,
      get entryProbe() {
        return entryProbeOf(plan.entry)
      },
      wayOut: plan.exit.kind,
      get mayTailCall() {
        return plan.mayTailCall
      },
      get tailTargets() {
        return plan.tailTargets
      },
      get loopsToEntry() {
        return plan.loopsToEntry
      },
    })
    return id
  }

  /** Functions that have lost their probes because they cost too much. */
  readonly dropped = new Set<number>()

  /** Whether a function's returns must not be hooked, in any process, so that its exits are probed. */
  areExitsProbed(id: number): boolean {
    return this.#exitsProbed.has(id)
  }

  probeExits(id: number): void {
    this.#exitsProbed.add(id)
  }
}

/** What the kernel does at an entry. */
export function entryProbeOf({ emulated, optimised }: ProbeSite): EntryProbe {
  if (!emulated) return 'stepped'
  return optimised ? 'nop' : 'emulated'
}
