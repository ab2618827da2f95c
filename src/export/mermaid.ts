import { escapeText } from '../base/escape.ts'
import { createDrawing, type DrawingOptions, edgeRows, nodeId } from './drawing.ts'
import { type DrawnGraph, shortName } from './drawn-graph.ts'
import type { ExportSink } from './export-sink.ts'
import { counted, durationText, shareText } from './text.ts'

/**
 * Mermaid itself refuses more than 500 edges (`maxEdges`) and 50,000 characters (`maxTextSize`) unless told
 * otherwise.
 */
const maxEdges = 150

/**
 * The call graph as a Mermaid flowchart, for Markdown: the same drawing as for Graphviz, smaller.
 * What is not exact is said in a box.
 * Source: https://mermaid.js.org/syntax/flowchart.html
 */
export function createMermaidExport(options: DrawingOptions): ExportSink {
  return createDrawing(options, { maxEdges, lines })
}

function* lines(
  { threads, functions, edges, totalNs }: DrawnGraph,
  heading: readonly string[],
): Generator<string> {
  yield 'flowchart TD'
  yield `  about[${quoted(heading)}]`
  for (const [index, label] of threads.entries()) yield `  t${index}([${quoted([label])}])`
  for (const { fn, calls, inclusiveNs, selfNs } of functions) {
    const rows = [
      shortName(fn),
      fn.module,
      `${counted(calls, 'call')}, ${durationText(inclusiveNs)} (${shareText(inclusiveNs, totalNs)})`,
      `self ${durationText(selfNs)}`,
    ]
    yield `  f${fn.id}[${quoted(rows)}]`
  }
  for (const edge of edges) yield `  ${nodeId(edge)} -->|${quoted(edgeRows(edge))}| f${edge.to}`
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
