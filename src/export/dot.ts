import { escapeText } from '../base/escape.ts'
import { ByteWriter, encode } from '../sink/byte-writer.ts'
import { CallGraph } from './call-graph.ts'
import { type DrawnEdge, drawnGraph, shortName } from './drawn-graph.ts'
import type { ExportSink, ExportTarget } from './export-sink.ts'
import { Remarks } from './remarks.ts'
import { counted, durationText, shareText } from './text.ts'

export interface CallGraphExportOptions extends ExportTarget {
  readonly mergeThreads: boolean
}

/** What `dot` lays out within seconds. */
const maxEdges = 1000

/**
 * The call graph in Graphviz's language: a box per function with its calls, inclusive time (recursion counted
 * once) and own time, redder the more of its own; an arrow per caller and callee with calls and time. Threads
 * are ellipses that call what they called first. What is not exact is said below the drawing.
 * Source: https://graphviz.org/doc/info/lang.html
 */
export function createDotExport({ write, facts, mergeThreads }: CallGraphExportOptions): ExportSink {
  const graph = new CallGraph()
  const remarks = new Remarks()

  function finish(): void {
    const drawn = drawnGraph(graph, facts, { mergeThreads, maxEdges })
    const out = new ByteWriter(write)
    const line = (text: string) => {
      out.bytes(encode(text))
      out.endLine()
    }
    const lines = [facts.title, ...(drawn.omitted === undefined ? [] : [drawn.omitted]), ...remarks.lines()]
    line('digraph calls {')
    line(`  graph [label=${quoted(lines)}, labeljust=l, fontname="sans-serif"]`)
    line('  node [shape=box, style=filled, fontname="sans-serif", fontsize=10]')
    line('  edge [fontname="sans-serif", fontsize=9]')
    for (const [index, label] of drawn.threads.entries())
      line(`  t${index} [shape=ellipse, fillcolor="#e8e8e8", label=${quoted([label])}]`)
    for (const { fn, calls, inclusiveNs, selfNs } of drawn.functions) {
      const share = drawn.totalNs === 0 ? 0 : selfNs / drawn.totalNs
      const rows = [
        shortName(fn),
        fn.module,
        counted(calls, 'call'),
        `${durationText(inclusiveNs)} (${shareText(inclusiveNs, drawn.totalNs)})`,
        `self ${durationText(selfNs)} (${shareText(selfNs, drawn.totalNs)})`,
      ]
      line(
        `  f${fn.id} [fillcolor="0.05 ${Math.sqrt(share).toFixed(3)} 1.0", label=${quoted(rows)}, tooltip=${quoted([fn.name])}]`,
      )
    }
    for (const edge of drawn.edges) {
      const share = drawn.totalNs === 0 ? 0 : edge.inclusiveNs / drawn.totalNs
      line(
        `  ${nodeId(edge)} -> f${edge.to} [penwidth=${(0.5 + 4 * share).toFixed(2)}, label=${quoted(edgeRows(edge))}]`,
      )
    }
    line('}')
    out.flush()
  }

  return {
    begin: (call) => graph.begin(call),
    end: (call) => {
      graph.end(call)
      remarks.ended(call)
    },
    lost: (loss) => remarks.lost(loss),
    note: (note) => remarks.note(note),
    finish,
  }
}

function nodeId({ from }: DrawnEdge): string {
  return `${from.kind === 'function' ? 'f' : 't'}${from.index}`
}

/** What stands on an arrow; recursive calls have no time of their own. */
export function edgeRows({ calls, inclusiveNs }: DrawnEdge): readonly string[] {
  return inclusiveNs === 0 ? [`${calls}×`] : [`${calls}×`, durationText(inclusiveNs)]
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
