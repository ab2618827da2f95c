import { type Call, durationNs, type TracedFunction, type TracedThread } from '../trace/call.ts'
import { ThreadStates } from './thread-states.ts'

export interface CallGraphEdge {
  readonly callee: CallGraphNode
  readonly calls: number
  /** Time of these calls, with what they called. */
  readonly inclusiveNs: number
}

/**
 * A function, or its recursive calls: those that begin while it is open in their thread are a node of their
 * own. So no time is counted twice: the inclusive time of an outermost node is that of its calls.
 */
export interface CallGraphNode {
  readonly fn: TracedFunction
  readonly isRecursive: boolean
  readonly calls: number
  readonly selfNs: number
  /**
   * Sum of the durations of its calls; of a recursive node, whose calls may lie in each other, it means
   * little.
   */
  readonly inclusiveNs: number
  readonly edges: ReadonlyMap<number, CallGraphEdge>
}

/** What a thread calls first. */
export interface CallGraphRoot {
  readonly thread: TracedThread
  readonly edges: ReadonlyMap<number, CallGraphEdge>
}

type Mutable<Type> = { -readonly [Field in keyof Type]: Type[Field] }
type Edge = Mutable<CallGraphEdge>
type Node = Mutable<Omit<CallGraphNode, 'edges'>> & { readonly edges: Map<number, Edge> }
type Root = { readonly thread: TracedThread; readonly edges: Map<number, Edge> }

interface Thread {
  readonly root: Root
  readonly stack: { node: Node; childrenNs: number }[]
  depth: number
  /** Open calls by function id. */
  readonly open: number[]
}

/** All calls merged by caller and callee. */
export class CallGraph {
  readonly #nodes = new Map<number, Node>()
  readonly #threads = new ThreadStates<Thread>((thread) => ({
    root: { thread, edges: new Map() },
    stack: [],
    depth: 0,
    open: [],
  }))

  get nodes(): Iterable<CallGraphNode> {
    return this.#nodes.values()
  }

  *roots(): Iterable<CallGraphRoot> {
    for (const { root } of this.#threads.all()) yield root
  }

  begin({ fn, thread }: Call): void {
    const state = this.#threads.of(thread)
    const open = state.open[fn.id] ?? 0
    state.open[fn.id] = open + 1
    const node = this.#node(fn, open > 0)
    const frame = state.stack[state.depth]
    if (frame === undefined) state.stack.push({ node, childrenNs: 0 })
    else {
      frame.node = node
      frame.childrenNs = 0
    }
    state.depth += 1
  }

  end(call: Call): void {
    const state = this.#threads.of(call.thread)
    state.depth -= 1
    state.open[call.fn.id]! -= 1
    const { node, childrenNs } = state.stack[state.depth]!
    const duration = durationNs(call)
    node.calls += 1
    node.selfNs += duration - childrenNs
    node.inclusiveNs += duration
    const caller = state.depth > 0 ? state.stack[state.depth - 1] : undefined
    if (caller !== undefined) caller.childrenNs += duration
    const { edges } = caller === undefined ? state.root : caller.node
    const key = keyOf(node.fn, node.isRecursive)
    const edge = edges.get(key)
    if (edge === undefined) edges.set(key, { callee: node, calls: 1, inclusiveNs: duration })
    else {
      edge.calls += 1
      edge.inclusiveNs += duration
    }
  }

  #node(fn: TracedFunction, isRecursive: boolean): Node {
    const key = keyOf(fn, isRecursive)
    let node = this.#nodes.get(key)
    if (node === undefined) {
      node = { fn, isRecursive, calls: 0, selfNs: 0, inclusiveNs: 0, edges: new Map() }
      this.#nodes.set(key, node)
    }
    return node
  }
}

function keyOf(fn: TracedFunction, isRecursive: boolean): number {
  return 2 * fn.id + (isRecursive ? 1 : 0)
}
