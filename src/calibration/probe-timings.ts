import { type EventConsumer, type EventKind, eventKind } from '../base/event.ts'
import type { TraceNs } from '../base/units.ts'
import type { Disturbance, ProbeCost, ProbeCosts } from '../trace/probe-costs.ts'
import { type ShapeName, shapeNames } from './program.ts'

/** Fewer samples of a function say nothing. */
const fewestSamples = 16

/**
 * Takes the events of the calibration program, whose function ids are indices into `shapeNames`: the distances between
 * its probes' readings of the clock. What the program itself does between two probes takes a nanosecond or two.
 */
export class ProbeTimings implements EventConsumer {
  /** From an entry to the exit of the same call. */
  readonly #inside = shapeNames.map((): number[] => [])
  /** From an exit, or an entry whose exit is not seen, to the next entry of the same function. */
  readonly #outside = shapeNames.map((): number[] => [])
  #lastNs = 0
  #lastKind: EventKind = eventKind.lost
  #lastId = -1

  event(time: TraceNs, _stack: number, _tid: number, kind: EventKind, functionId: number): void {
    if (functionId === this.#lastId && this.#lastKind !== eventKind.lost) {
      const entered = this.#lastKind === eventKind.entry
      const samples = entered && kind !== eventKind.entry ? this.#inside : this.#outside
      samples[functionId]?.push(time - this.#lastNs)
    }
    this.#lastNs = time
    this.#lastKind = kind
    this.#lastId = functionId
  }

  /** @returns undefined where there are too few events to tell */
  costs(): ProbeCosts | undefined {
    const typical = (samples: readonly (readonly number[])[], name: ShapeName) => {
      const of = samples[shapeNames.indexOf(name)]!
      return of.length < fewestSamples ? Number.NaN : undisturbed(of)
    }
    const inside = (name: ShapeName) => typical(this.#inside, name)
    const outside = (name: ShapeName) => typical(this.#outside, name)

    // The time between two readings is shared so that none of the parts is negative: see `ProbeCost`.
    const afterNs = Math.min(outside('emulated'), inside('hooked')) / 2
    const beforeNs = outside('emulated') - afterNs
    const afterNopNs = Math.min(outside('nop') / 2, afterNs)
    const exit = (name: ShapeName): ProbeCost =>
      rounded({ beforeNs: inside(name) - afterNs, afterNs: outside(name) - beforeNs })
    const whole = (name: ShapeName) => inside(name) + outside(name)
    const costs = {
      entry: {
        emulated: rounded({ beforeNs, afterNs }),
        stepped: rounded({ beforeNs, afterNs: outside('stepped') - beforeNs }),
        nop: rounded({ beforeNs: outside('nop') - afterNopNs, afterNs: afterNopNs }),
      },
      libraryCallNs: Math.round(Math.max(0, whole('libraryCall') - whole('hooked'))),
      return: exit('hooked'),
      ret: exit('ret'),
      jump: exit('jump'),
      disturbance: disturbanceOf([...this.#inside, ...this.#outside], outside('emulated')),
    }
    const { entry, libraryCallNs, return: hooked, ret, jump } = costs
    const all = [entry.emulated, entry.stepped, entry.nop, hooked, ret, jump]
    const sum = all.reduce((total, cost) => total + cost.beforeNs + cost.afterNs, libraryCallNs)
    return Number.isFinite(sum) ? costs : undefined
  }
}

/**
 * What one takes in most cases. Whatever else runs on the machine makes some take longer, and a whole while at that, but
 * none shorter: so not the middle, and not the least either, which is luck.
 */
function undisturbed(samples: readonly number[]): number {
  const sorted = Float64Array.from(samples).sort()
  return sorted[Math.floor(sorted.length / 4)]!
}

/** What takes longer by so many usual times of an emulated entry was disturbed; by so many, others ran meanwhile. */
const disturbedFrom = 2
const disturbedTo = 12

/** utrace itself is busy while it is measured: the quieter half of so many parts of that time tells what is usual. */
const parts = 10

/** What all samples together tell: of one shape too few are disturbed. They are in the order of their time. */
function disturbanceOf(samples: readonly (readonly number[])[], entryNs: number): Disturbance {
  const seen = Array.from({ length: parts }, () => ({ usualNs: 0, disturbed: 0, excessNs: 0 }))
  for (const of of samples) {
    if (of.length < fewestSamples) continue
    const usual = undisturbed(of)
    for (let index = 0; index < of.length; index++) {
      const ns = of[index]!
      const excess = (ns - usual) / entryNs
      if (excess >= disturbedTo) continue
      const part = seen[Math.floor((index * parts) / of.length)]!
      part.usualNs += usual
      if (excess < disturbedFrom) continue
      part.disturbed++
      part.excessNs += ns - usual
    }
  }
  const quieter = seen.sort((x, y) => x.disturbed * y.usualNs - y.disturbed * x.usualNs).slice(0, parts / 2)
  const sum = (field: 'usualNs' | 'disturbed' | 'excessNs') =>
    quieter.reduce((total, part) => total + part[field], 0)
  if (sum('disturbed') === 0) return { perSecond: 0, ns: 0 }
  return {
    perSecond: Math.round((sum('disturbed') / sum('usualNs')) * 1e9),
    ns: Math.round(sum('excessNs') / sum('disturbed')),
  }
}

function rounded({ beforeNs, afterNs }: ProbeCost): ProbeCost {
  return { beforeNs: Math.round(Math.max(0, beforeNs)), afterNs: Math.round(Math.max(0, afterNs)) }
}
