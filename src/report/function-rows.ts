import type { TracedFunction } from '../trace/call.ts'

const unknown = -1

/**
 * Numbers things that calls are grouped by, from 0, in the order in which they are first seen; functions are found
 * by their id without a look-up in a map. Functions that share a key share a row.
 */
export class FunctionRows {
  readonly #keyOf: (fn: TracedFunction) => string
  #rowOfId = new Int32Array(256).fill(unknown)
  readonly #rowOfKey = new Map<string, number>()
  /** By row: the first function seen of it. */
  readonly functions: TracedFunction[] = []

  constructor(keyOf: (fn: TracedFunction) => string) {
    this.#keyOf = keyOf
  }

  of(fn: TracedFunction): number {
    const { id } = fn
    const row = id < this.#rowOfId.length ? this.#rowOfId[id]! : unknown
    return row === unknown ? this.#add(fn) : row
  }

  #add(fn: TracedFunction): number {
    if (fn.id >= this.#rowOfId.length) {
      const grown = new Int32Array(Math.max(2 * this.#rowOfId.length, fn.id + 1)).fill(unknown)
      grown.set(this.#rowOfId)
      this.#rowOfId = grown
    }
    const key = this.#keyOf(fn)
    let row = this.#rowOfKey.get(key)
    if (row === undefined) {
      row = this.functions.push(fn) - 1
      this.#rowOfKey.set(key, row)
    }
    this.#rowOfId[fn.id] = row
    return row
  }
}

/**
 * What makes two functions the same: all that JSON lines tell of them. A library call and the function it reaches
 * share it.
 */
export const functionKey = ({ name, symbol, module }: Pick<TracedFunction, 'name' | 'symbol' | 'module'>) =>
  `${name}\0${symbol}\0${module}`
