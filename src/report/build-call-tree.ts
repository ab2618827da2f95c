import { type Call, durationNs, rawDurationNs, type TraceSink } from '../trace/call.ts'
import { ThreadTable } from '../trace/thread-table.ts'
import { CallTree, rootNode } from './call-tree.ts'
import { FunctionRows, functionKey } from './function-rows.ts'

export interface CallTreeOptions {
  /** Whether a function that calls itself stays in its node, which then counts all calls and the time once. */
  readonly fold: boolean
  /** See `CallTree`. */
  readonly maxPaths?: number | undefined
}

export interface MergedTrace {
  readonly tree: CallTree
  /** The sum over all threads of the time in which a traced call was open. */
  readonly totalNs: number
  /** Events (not calls) that were lost. */
  readonly lostEvents: number
  /** Whether the cost of probes was taken off durations. */
  readonly isCompensated: boolean
  /** Of a sample: so many calls stand for one that was drawn. The tree shows what was recorded, not scaled. */
  readonly sampleInterval: number | undefined
}

/** Takes a trace of any length in memory that depends on the number of different paths, functions and threads. */
export interface CallTreeBuilder extends TraceSink {
  result(): MergedTrace
}

export function createCallTreeBuilder(options: CallTreeOptions): CallTreeBuilder {
  const rows = new FunctionRows(functionKey)
  const tree = new CallTree(rows.functions, options.maxPaths)
  const paths = new Paths(tree, options.fold)
  const threads = new ThreadTable(
    () => new OpenNodes(),
    ({ open }) => open === 0,
  )
  let totalNs = 0
  let lostEvents = 0
  let isCompensated = false
  let sampleInterval: number | undefined
  return {
    begin: (call) => {
      const open = threads.of(call.thread)
      open.push(paths.child(open.top(), rows.of(call.fn)))
    },
    end: (call: Call) => {
      const open = threads.of(call.thread)
      const node = open.pop()
      const duration = durationNs(call)
      isCompensated ||= duration !== rawDurationNs(call)
      if ((call.weight ?? 1) !== 1) sampleInterval = Math.max(sampleInterval ?? 0, call.weight!)
      if (open.open === 0) totalNs += duration
      tree.addCall(node, open.top() === node ? 0 : duration)
      if (call.how !== 'return') tree.ends.add(node, call.how)
    },
    lost: ({ count }) => {
      lostEvents += count
    },
    note: () => {},
    result: () => {
      tree.settleSelfTimes()
      return { tree, totalNs, lostEvents, isCompensated, sampleInterval }
    },
  }
}

/** The nodes of one thread's open calls. */
class OpenNodes {
  open = 0
  #nodes = new Int32Array(32)

  top(): number {
    return this.open === 0 ? rootNode : this.#nodes[this.open - 1]!
  }

  push(node: number): void {
    if (this.open === this.#nodes.length) {
      const grown = new Int32Array(2 * this.open)
      grown.set(this.#nodes)
      this.#nodes = grown
    }
    this.#nodes[this.open++] = node
  }

  pop(): number {
    return this.#nodes[--this.open]!
  }
}

/** Finds the node of a call from that of its caller, which mostly calls what it called last. */
class Paths {
  readonly #tree: CallTree
  readonly #fold: boolean
  #lastChild = new Int32Array(512)

  constructor(tree: CallTree, fold: boolean) {
    this.#tree = tree
    this.#fold = fold
  }

  child(parent: number, row: number): number {
    const last = parent < this.#lastChild.length ? this.#lastChild[parent]! : 0
    if (last !== 0 && this.#tree.rowOf(last) === row) return last
    return this.#look(parent, row)
  }

  #look(parent: number, row: number): number {
    if (this.#fold && this.#tree.rowOf(parent) === row) return parent
    const node = this.#tree.child(parent, row)
    if (parent >= this.#lastChild.length) {
      const grown = new Int32Array(Math.max(2 * this.#lastChild.length, parent + 1))
      grown.set(this.#lastChild)
      this.#lastChild = grown
    }
    this.#lastChild[parent] = node
    return node
  }
}
