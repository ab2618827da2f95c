import { escapeText } from '../base/escape.ts'
import { createDrawing, type DrawingOptions, edgeRows, nodeId } from './drawing.ts'
import { type DrawnGraph, shortName } from './drawn-graph.ts'
import type { ExportSink } from './export-sink.ts'
import { counted, durationText, shareText } from './text.ts'

/** What `dot` lays out within seconds. */
const maxEdges = 1000

/**
 * The call graph in Graphviz's language: a box per function with its calls, inclusive time (recursion counted
 * once) and own time, redder the more of its own; an arrow per caller and callee with calls and time. Threads
 * are ellipses that call what they called first. What is not exact is said below the drawing.
 * Source: https://graphviz.org/doc/info/lang.html
 */
export function createDotExport(options: DrawingOptions): ExportSink {
  return createDrawing(options, { maxEdges, lines })
}

function* lines(
  { threads, functions, edges, totalNs }: DrawnGraph,
  heading: readonly string[],
): Generator<string> {
  const share = (ns: number) => (totalNs === 0 ? 0 : ns / totalNs)
  const timeText = (ns: number) => `${durationText(ns)} (${shareText(ns, totalNs)})`
  yield 'digraph calls {'
  yield `  graph [label=${quoted(heading)}, labeljust=l, fontname="sans-serif"]`
  yield '  node [shape=box, style=filled, fontname="sans-serif", fontsize=10]'
  yield '  edge [fontname="sans-serif", fontsize=9]'
  for (const [index, label] of threads.entries()) {
    yield `  t${index} [shape=ellipse, fillcolor="#e8e8e8", label=${quoted([label])}]`
  }
  for (const { fn, calls, inclusiveNs, selfNs } of functions) {
    const rows = [
      shortName(fn),
      fn.module,
      counted(calls, 'call'),
      timeText(inclusiveNs),
      `self ${timeText(selfNs)}`,
    ]
    const color = `0.05 ${Math.sqrt(share(selfNs)).toFixed(3)} 1.0`
    yield `  f${fn.id} [fillcolor="${color}", label=${quoted(rows)}, tooltip=${quoted([fn.name])}]`
  }
  for (const edge of edges) {
    const width = (0.5 + 4 * share(edge.inclusiveNs)).toFixed(2)
    yield `  ${nodeId(edge)} -> f${edge.to} [penwidth=${width}, label=${quoted(edgeRows(edge))}]`
  }
  yield '}'
}

/**
 * Lines as one quoted label. A backslash starts an escape there (`\N` is the node's name), so it is doubled.
 */
function quoted(lines: readonly string[]): string {
  const escaped = lines.map((text) =>
    escapeText(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('&', '&amp;'),
  )
  return `"${escaped.join('\\n')}"`
}
