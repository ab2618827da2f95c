import type { TracedFunction } from '../trace/call.ts'
import type { CallGraph, CallGraphEdge } from './call-graph.ts'
import { durationText } from './text.ts'
import { processLabel, type TraceFacts, threadLabel } from './trace-facts.ts'

const longestName = 60

export interface DrawnFunction {
  readonly fn: TracedFunction
  readonly calls: number
  /** Recursion counted once. */
  readonly inclusiveNs: number
  readonly selfNs: number
}

export interface DrawnEdge {
  /** A function id, or a thread's place among the threads. */
  readonly from: { readonly kind: 'function' | 'thread'; readonly index: number }
  readonly to: number
  readonly calls: number
  /** Of the calls that are not recursive: the edges into a function add up to its inclusive time. */
  readonly inclusiveNs: number
}

/** A call graph as a picture has it: one node per function. */
export interface DrawnGraph {
  readonly functions: readonly DrawnFunction[]
  /** Labels; none where threads are merged or there is only one. */
  readonly threads: readonly string[]
  /** The heaviest first. */
  readonly edges: readonly DrawnEdge[]
  /** All time in outermost calls. */
  readonly totalNs: number
  /** What was left out, in a sentence, where anything was. */
  readonly omitted: string | undefined
}

/**
 * A drawing of more edges than `maxEdges` can't be read: the lightest are left out, and functions without any
 * left.
 */
export function drawnGraph(
  graph: CallGraph,
  facts: TraceFacts,
  options: { readonly mergeThreads: boolean; readonly maxEdges: number },
): DrawnGraph {
  const functions = mergeRecursion(graph)
  const roots = [...graph.roots()]
  const showsThreads = !options.mergeThreads && roots.length > 1
  const edges = new Map<string, DrawnEdge>()
  const add = (from: DrawnEdge['from'], all: ReadonlyMap<number, CallGraphEdge>) => {
    for (const { callee, calls, inclusiveNs } of all.values()) {
      const key = `${from.kind} ${from.index} ${callee.fn.id}`
      const known = edges.get(key)
      edges.set(key, {
        from,
        to: callee.fn.id,
        calls: (known?.calls ?? 0) + calls,
        inclusiveNs: (known?.inclusiveNs ?? 0) + (callee.isRecursive ? 0 : inclusiveNs),
      })
    }
  }
  for (const node of graph.nodes) add({ kind: 'function', index: node.fn.id }, node.edges)
  if (showsThreads) for (const [index, root] of roots.entries()) add({ kind: 'thread', index }, root.edges)

  const heaviest = [...edges.values()].sort((a, b) => b.inclusiveNs - a.inclusiveNs || b.calls - a.calls)
  const drawn = heaviest.slice(0, options.maxEdges)
  const kept =
    drawn.length === heaviest.length ? functions : functions.filter(({ fn }) => isOnEdge(drawn, fn.id))
  return {
    functions: kept,
    threads: showsThreads
      ? roots.map(({ thread }) => `${processLabel(facts, thread.pid)}, ${threadLabel(facts, thread)}`)
      : [],
    edges: drawn,
    totalNs: roots.reduce((sum, { edges }) => sum + sumNs(edges), 0),
    omitted: omittedText(heaviest, drawn, functions.length - kept.length),
  }
}

function mergeRecursion(graph: CallGraph): DrawnFunction[] {
  const functions = new Map<number, DrawnFunction>()
  for (const { fn, isRecursive, calls, selfNs, inclusiveNs } of graph.nodes) {
    const known = functions.get(fn.id)
    functions.set(fn.id, {
      fn,
      calls: (known?.calls ?? 0) + calls,
      selfNs: (known?.selfNs ?? 0) + selfNs,
      inclusiveNs: (known?.inclusiveNs ?? 0) + (isRecursive ? 0 : inclusiveNs),
    })
  }
  return [...functions.values()]
}

function isOnEdge(edges: readonly DrawnEdge[], id: number): boolean {
  return edges.some(({ from, to }) => to === id || (from.kind === 'function' && from.index === id))
}

function omittedText(
  all: readonly DrawnEdge[],
  drawn: readonly DrawnEdge[],
  functions: number,
): string | undefined {
  if (drawn.length === all.length) return undefined
  const lightest = drawn.at(-1)!.inclusiveNs
  return (
    `The ${drawn.length} heaviest of ${all.length} caller-callee pairs are drawn, those of ${durationText(lightest)} and more; ` +
    `${functions} functions have none of them.`
  )
}

function sumNs(edges: ReadonlyMap<number, CallGraphEdge>): number {
  let sum = 0
  for (const { inclusiveNs } of edges.values()) sum += inclusiveNs
  return sum
}

/** As much of a name as a box should be wide. */
export function shortName({ name }: TracedFunction): string {
  const characters = [...name]
  return characters.length <= longestName ? name : `${characters.slice(0, longestName - 1).join('')}…`
}
