import { type Call, durationNs, type TracedFunction, type TracedThread } from '../trace/call.ts'
import { ThreadStates } from './thread-states.ts'

/** One call stack: a function under its callers. */
export interface CallTreeNode {
  /** Absent in a root, which stands for a thread or for all of them. */
  readonly fn: TracedFunction | undefined
  readonly parent: CallTreeNode | undefined
  readonly children: ReadonlyMap<number, CallTreeNode>
  readonly calls: number
  /** Time with this very stack: in nanoseconds, or in samples. */
  readonly self: number
  /** Calls that lasted at least what was measured (`cut`), and at most (`unwound`, `inferred`). */
  readonly atLeast: number
  readonly atMost: number
}

export interface CallTreeRoot extends CallTreeNode {
  /** Absent where threads are merged. */
  readonly thread: TracedThread | undefined
}

export interface CallTreeOptions {
  readonly mergeThreads: boolean
  /**
   * Counts samples instead of nanoseconds: how many multiples of this many nanoseconds of trace time fall
   * into the time of a stack. What a sampling profiler with that period would have seen, without its errors.
   */
  readonly samplePeriodNs: number | undefined
}

/**
 * All calls merged by call stack. Its size is that of the distinct stacks, whatever the number of calls.
 */
export class CallTree {
  readonly #roots: Node[] = []
  readonly #threads: ThreadStates<State>
  readonly #periodNs: number

  constructor({ mergeThreads, samplePeriodNs }: CallTreeOptions) {
    this.#periodNs = samplePeriodNs ?? 0
    this.#threads = new ThreadStates((thread) => {
      const root = mergeThreads ? this.#roots[0] : undefined
      if (root !== undefined) return newState(root)
      const created = new Node(undefined, undefined, mergeThreads ? undefined : thread)
      this.#roots.push(created)
      return newState(created)
    })
  }

  get roots(): readonly CallTreeRoot[] {
    return this.#roots
  }

  begin(call: Call): void {
    const state = this.#threads.of(call.thread)
    this.#pass(state, call.beginNs, call.beginOverheadNs)
    state.top = state.top.child(call.fn)
    state.childrenNs.push(0)
    state.top.calls += 1
  }

  end(call: Call): void {
    const state = this.#threads.of(call.thread)
    this.#pass(state, call.endNs, call.endOverheadNs)
    const node = state.top
    const { childrenNs } = state
    const belowNs = childrenNs.pop() ?? 0
    const duration = durationNs(call)
    if (this.#periodNs === 0) node.self += duration - belowNs
    if (childrenNs.length > 0) childrenNs[childrenNs.length - 1]! += duration
    if (call.how === 'cut') node.atLeast += 1
    else if (call.how !== 'return') node.atMost += 1
    state.top = node.parent!
  }

  /** The samples since the thread's last event are of the stack that was on then; the time in probes has none. */
  #pass(state: State, timeNs: number, overheadNs = 0): void {
    const period = this.#periodNs
    if (period === 0) return
    const { top, lastNs } = state
    const now = Math.max(lastNs, timeNs - overheadNs)
    state.lastNs = now
    if (top.parent !== undefined) top.self += Math.floor(now / period) - Math.floor(lastNs / period)
  }
}

/** What is known of a thread. */
interface State {
  top: Node
  lastNs: number
  /** Of each open call, the outermost first: how long the calls took that it has made. */
  readonly childrenNs: number[]
}

const newState = (top: Node): State => ({ top, lastNs: 0, childrenNs: [] })

const noChildren: ReadonlyMap<number, Node> = new Map()

class Node implements CallTreeRoot {
  readonly fn: TracedFunction | undefined
  readonly parent: Node | undefined
  readonly thread: TracedThread | undefined
  calls = 0
  self = 0
  atLeast = 0
  atMost = 0
  #children: Map<number, Node> | undefined
  /** Most calls repeat the one before. */
  #lastChild: Node | undefined

  constructor(fn: TracedFunction | undefined, parent: Node | undefined, thread: TracedThread | undefined) {
    this.fn = fn
    this.parent = parent
    this.thread = thread
  }

  get children(): ReadonlyMap<number, Node> {
    return this.#children ?? noChildren
  }

  child(fn: TracedFunction): Node {
    if (this.#lastChild?.fn === fn) return this.#lastChild
    this.#children ??= new Map()
    let child = this.#children.get(fn.id)
    if (child === undefined) {
      child = new Node(fn, this, undefined)
      this.#children.set(fn.id, child)
    }
    this.#lastChild = child
    return child
  }
}

/**
 * The nodes below `root`, callers before what they call. Stacks may be deeper than recursion in JavaScript
 * can go.
 */
export function* descendants(root: CallTreeNode): Generator<CallTreeNode> {
  const pending: CallTreeNode[] = []
  const push = (node: CallTreeNode) => {
    const from = pending.length
    for (const child of node.children.values()) pending.push(child)
    reverseFrom(pending, from)
  }
  push(root)
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    yield node
    push(node)
  }
}

function reverseFrom<Item>(items: Item[], from: number): void {
  for (let low = from, high = items.length - 1; low < high; low += 1, high -= 1) {
    const item = items[low]!
    items[low] = items[high]!
    items[high] = item
  }
}
