import { type CallTree, rootNode } from './call-tree.ts'

const none = -1

/** A finished tree from top to bottom: the children of each node, the longest first, and what lies below. */
export class TreeOrder {
  readonly #tree: CallTree
  readonly #firstChild: Int32Array
  readonly #nextSibling: Int32Array
  readonly #paths: Float64Array
  readonly #calls: Float64Array

  constructor(tree: CallTree) {
    this.#tree = tree
    this.#firstChild = new Int32Array(tree.size).fill(none)
    this.#nextSibling = new Int32Array(tree.size).fill(none)
    this.#paths = new Float64Array(tree.size).fill(1)
    this.#calls = new Float64Array(tree.size)
    for (let node = tree.size - 1; node > rootNode; node--) {
      const parent = tree.parentOf(node)
      this.#nextSibling[node] = this.#firstChild[parent]!
      this.#firstChild[parent] = node
      this.#calls[node] = Math.max(this.#calls[node]!, tree.callsOf(node))
      this.#paths[parent]! += this.#paths[node]!
      this.#calls[parent] = Math.max(this.#calls[parent]!, this.#calls[node]!)
    }
  }

  /** By total time, then by calls; what is equal in both stays in the order of its first call. */
  childrenOf(node: number): number[] {
    const children: number[] = []
    for (let child = this.#firstChild[node]!; child !== none; child = this.#nextSibling[child]!)
      children.push(child)
    const tree = this.#tree
    return children.sort(
      (a, b) => tree.totalNsOf(b) - tree.totalNsOf(a) || tree.callsOf(b) - tree.callsOf(a) || a - b,
    )
  }

  /** Number of nodes in the node's subtree, itself included. */
  pathsWithin(node: number): number {
    return this.#paths[node]!
  }

  /** The largest number of calls of a node in the subtree. */
  mostCallsWithin(node: number): number {
    return this.#calls[node]!
  }
}
