import type { CallEnd } from '../trace/call.ts'

/** Calls whose end was not an ordinary return. */
export interface CallEnds {
  /** Still open when tracing or the thread ended: their durations are lower bounds. */
  readonly cut: number
  /** Their return was not seen: their durations are upper bounds. */
  readonly inferred: number
  /** Taken away by an exception, `longjmp` or thread exit: their durations are upper bounds. */
  readonly unwound: number
}

export const noEnds: CallEnds = { cut: 0, inferred: 0, unwound: 0 }

export function addEnds(a: CallEnds, b: CallEnds): CallEnds {
  return { cut: a.cut + b.cut, inferred: a.inferred + b.inferred, unwound: a.unwound + b.unwound }
}

/** Such ends by row (or node): they are rare, and counted apart from what every call changes. */
export class EndCounts {
  readonly #counts = new Map<number, { cut: number; inferred: number; unwound: number }>()

  add(row: number, how: Exclude<CallEnd, 'return'>): void {
    const counts = this.#counts.get(row)
    if (counts === undefined) this.#counts.set(row, { ...noEnds, [how]: 1 })
    else counts[how] += 1
  }

  addAll(row: number, ends: CallEnds): void {
    if (ends !== noEnds) this.#counts.set(row, addEnds(this.of(row), ends))
  }

  of(row: number): CallEnds {
    return this.#counts.get(row) ?? noEnds
  }
}
