import { ByteWriter, encode } from '../sink/byte-writer.ts'
import { CallGraph } from './call-graph.ts'
import { type DrawnEdge, type DrawnGraph, drawnGraph } from './drawn-graph.ts'
import type { ExportSink, ExportTarget } from './export-sink.ts'
import { createSummedExport } from './summed-export.ts'
import { durationText } from './text.ts'

export interface DrawingOptions extends ExportTarget {
  readonly mergeThreads: boolean
}

/** A language in which a call graph is drawn. */
export interface DrawingLanguage {
  /** As many as the programs that lay it out can cope with. */
  readonly maxEdges: number
  /** @param heading the title and what is not exact: a line each, not escaped */
  lines(graph: DrawnGraph, heading: readonly string[]): Iterable<string>
}

/** Sums up a trace and draws its call graph. */
export function createDrawing(
  { write, facts, mergeThreads }: DrawingOptions,
  language: DrawingLanguage,
): ExportSink {
  const graph = new CallGraph()
  return createSummedExport(graph, (remarks) => {
    const drawn = drawnGraph(graph, facts, { mergeThreads, maxEdges: language.maxEdges })
    const omitted = drawn.omitted === undefined ? [] : [drawn.omitted]
    const out = new ByteWriter(write)
    for (const line of language.lines(drawn, [facts.title, ...omitted, ...remarks])) {
      out.bytes(encode(line))
      out.endLine()
    }
    out.flush()
  })
}

/** How both languages call the node that an arrow comes from. */
export function nodeId({ from }: DrawnEdge): string {
  return `${from.kind === 'function' ? 'f' : 't'}${from.index}`
}

/** What stands on an arrow; recursive calls have no time of their own. */
export function edgeRows({ calls, inclusiveNs }: DrawnEdge): readonly string[] {
  return inclusiveNs === 0 ? [`${calls}×`] : [`${calls}×`, durationText(inclusiveNs)]
}
