import { escapeText } from '../base/escape.ts'
import { ByteWriter, encode } from '../sink/byte-writer.ts'
import { CallGraph } from './call-graph.ts'
import { type CallGraphExportOptions, edgeRows } from './dot.ts'
import { drawnGraph, shortName } from './drawn-graph.ts'
import type { ExportSink } from './export-sink.ts'
import { Remarks } from './remarks.ts'
import { counted, durationText, shareText } from './text.ts'

/**
 * Mermaid itself refuses more than 500 edges (`maxEdges`) and 50,000 characters (`maxTextSize`) unless told
 * otherwise.
 */
const maxEdges = 150

/**
 * The call graph as a Mermaid flowchart, for Markdown: the same drawing as for Graphviz, smaller.
 * What is not exact is said in comments and in a box.
 * Source: https://mermaid.js.org/syntax/flowchart.html
 */
export function createMermaidExport({ write, facts, mergeThreads }: CallGraphExportOptions): ExportSink {
  const graph = new CallGraph()
  const remarks = new Remarks()

  function finish(): void {
    const drawn = drawnGraph(graph, facts, { mergeThreads, maxEdges })
    const out = new ByteWriter(write)
    const line = (text: string) => {
      out.bytes(encode(text))
      out.endLine()
    }
    line('flowchart TD')
    const lines = [...(drawn.omitted === undefined ? [] : [drawn.omitted]), ...remarks.lines()]
    line(`  about[${quoted([facts.title, ...lines])}]`)
    for (const [index, label] of drawn.threads.entries()) line(`  t${index}([${quoted([label])}])`)
    for (const { fn, calls, inclusiveNs, selfNs } of drawn.functions) {
      const rows = [
        shortName(fn),
        fn.module,
        `${counted(calls, 'call')}, ${durationText(inclusiveNs)} (${shareText(inclusiveNs, drawn.totalNs)})`,
        `self ${durationText(selfNs)}`,
      ]
      line(`  f${fn.id}[${quoted(rows)}]`)
    }
    for (const edge of drawn.edges) {
      const from = `${edge.from.kind === 'function' ? 'f' : 't'}${edge.from.index}`
      line(`  ${from} -->|${quoted(edgeRows(edge))}| f${edge.to}`)
    }
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

/**
 * Lines as one quoted label: what is not plain in Markdown or HTML becomes Mermaid's entity code for it, and
 * so does what at a line's start would make a list.
 */
function quoted(lines: readonly string[]): string {
  const entity = (character: string) => `#${character.codePointAt(0)};`
  const plain = lines.map((text) =>
    escapeText(text)
      .replace(/[^\p{L}\p{N} ,.:()/=+%×…'-]/gu, entity)
      .replace(/^(\d*)([-+.])(?= )/, (_, digits: string, mark: string) => digits + entity(mark)),
  )
  return `"${plain.join('<br>')}"`
}
