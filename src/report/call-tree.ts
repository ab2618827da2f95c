import type { TracedFunction } from '../trace/call.ts'
import { type CallEnds, EndCounts } from './call-ends.ts'
import { NodeTable } from './node-table.ts'

/** The root's number. It stands for no function: its children are the outermost calls. */
export const rootNode = 0
/** The row of what was called beyond the largest number of paths. */
export const elidedRow = 0x7fffffff

const defaultMaxPaths = 1_000_000

/**
 * Calls merged by their path: a node for each sequence of functions from an outermost call down. Nodes are numbers
 * in the order of their making, so that a parent's is below those of its children. Flat arrays: 36 bytes a node.
 */
export class CallTree {
  /** By row. */
  readonly functions: readonly TracedFunction[]
  readonly #maxNodes: number
  readonly #nodes = new NodeTable()
  #calls = new Float64Array(512)
  #totalNs = new Float64Array(512)
  #selfNs = new Float64Array(512)
  readonly #ends = new EndCounts()

  /** @param maxPaths paths kept apart: what is called beyond is counted at its caller as one more, of `elidedRow` */
  constructor(functions: readonly TracedFunction[], maxPaths = defaultMaxPaths) {
    this.functions = functions
    this.#maxNodes = 1 + maxPaths
  }

  /** Number of nodes, the root included. */
  get size(): number {
    return this.#nodes.size
  }

  parentOf(node: number): number {
    return this.#nodes.parentOf(node)
  }

  rowOf(node: number): number {
    return this.#nodes.rowOf(node)
  }

  /** Undefined for the root and for what was called beyond the largest number of paths. */
  functionOf(node: number): TracedFunction | undefined {
    return this.functions[this.rowOf(node)]
  }

  callsOf(node: number): number {
    return this.#calls[node]!
  }

  /** Time in which one of the node's calls was open, thread by thread. */
  totalNsOf(node: number): number {
    return this.#totalNs[node]!
  }

  selfNsOf(node: number): number {
    return this.#selfNs[node]!
  }

  endsOf(node: number): CallEnds {
    return this.#ends.of(node)
  }

  /** The child of `parent` for the function of `row`, made if need be. Nothing lies below what is elided. */
  child(parent: number, row: number): number {
    if (this.rowOf(parent) === elidedRow) return parent
    const known = this.#nodes.find(parent, row)
    if (known !== undefined) return known
    if (this.size >= this.#maxNodes && row !== elidedRow) return this.child(parent, elidedRow)
    const node = this.#nodes.add(parent, row)
    if (node === this.#calls.length) {
      this.#calls = doubled(this.#calls)
      this.#totalNs = doubled(this.#totalNs)
      this.#selfNs = doubled(this.#selfNs)
    }
    return node
  }

  addCall(node: number, totalNs: number): void {
    this.#calls[node]! += 1
    this.#totalNs[node]! += totalNs
  }

  /** Adds to a node what another one has; `totalNs` apart, since calls that lie within each other count once. */
  addFrom(node: number, other: CallTree, otherNode: number, totalNs: number): void {
    this.#calls[node]! += other.callsOf(otherNode)
    this.#totalNs[node]! += totalNs
    this.#selfNs[node]! += other.selfNsOf(otherNode)
    this.#ends.addAll(node, other.endsOf(otherNode))
  }

  get ends(): EndCounts {
    return this.#ends
  }

  /** Works out self times from total times. A parent's total holds those of its children, which don't overlap. */
  settleSelfTimes(): void {
    this.#selfNs.set(this.#totalNs)
    for (let node = this.size - 1; node > rootNode; node--) {
      const parent = this.parentOf(node)
      if (parent !== rootNode) this.#selfNs[parent]! -= this.#totalNs[node]!
    }
  }
}

function doubled(numbers: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const grown = new Float64Array(2 * numbers.length)
  grown.set(numbers)
  return grown
}
