import { escapeText } from '../base/escape.ts'
import { ByteWriter, encode } from '../sink/byte-writer.ts'
import { CallGraph, type CallGraphEdge, type CallGraphNode } from './call-graph.ts'
import type { ExportSink, ExportTarget } from './export-sink.ts'
import { createSummedExport } from './summed-export.ts'
import { processLabel, threadLabel } from './trace-facts.ts'

/**
 * Callgrind's profile format, for KCachegrind and `callgrind_annotate`: the cost is wall-clock time in
 * nanoseconds, the object is the module. Recursive calls are a function `NAME'2` of their own, as callgrind
 * itself has them, so that the inclusive cost of `NAME` counts no time twice. Each thread is a
 * pseudo-function that calls what the thread called first. What is not exact is said in `desc:` lines.
 * Source: https://valgrind.org/docs/manual/cl-format.html
 */
export function createCallgrindExport({ write, facts }: ExportTarget): ExportSink {
  const graph = new CallGraph()

  function finish(remarks: readonly string[]): void {
    const out = new ByteWriter(write)
    const line = (text: string) => {
      out.bytes(encode(text))
      out.endLine()
    }
    const functions = new Compressed()
    const modules = new Compressed()
    const roots = [...graph.roots()]
    const sumNs = roots.reduce((sum, root) => sum + inclusiveOf(root.edges), 0)

    line('# callgrind format')
    line('version: 1')
    line('creator: utrace')
    for (const { thread } of roots.slice(0, 1)) line(`pid: ${thread.pid}`)
    line(`cmd: ${escapeText(facts.title)}`)
    line('part: 1')
    for (const remark of remarks) line(`desc: Remark: ${remark}`)
    line('positions: line')
    line('event: Ns : Wall-clock time (ns)')
    line('events: Ns')
    line(`summary: ${sumNs}`)
    line('')

    const called = (edges: ReadonlyMap<number, CallGraphEdge>) => {
      for (const { callee, calls, inclusiveNs } of edges.values()) {
        line(`cob=${modules.name(callee.fn.module)}`)
        line(`cfi=${fileOf(callee.fn.module)}`)
        line(`cfn=${functions.name(nameOf(callee))}`)
        line(`calls=${calls} 0`)
        line(`0 ${inclusiveNs}`)
      }
    }
    const fileNames = new Compressed()
    // In brackets: a bare name might be that of a file, which callgrind_annotate would then quote as the source.
    const fileOf = (module: string) => fileNames.name(`[${module}]`)
    for (const { thread, edges } of roots) {
      line(`ob=${modules.name(processLabel(facts, thread.pid))}`)
      line(`fl=${fileOf('threads')}`)
      line(`fn=${functions.name(`[${processLabel(facts, thread.pid)}, ${threadLabel(facts, thread)}]`)}`)
      line('0 0')
      called(edges)
      line('')
    }
    for (const node of graph.nodes) {
      line(`ob=${modules.name(node.fn.module)}`)
      line(`fl=${fileOf(node.fn.module)}`)
      line(`fn=${functions.name(nameOf(node))}`)
      line(`0 ${node.selfNs}`)
      called(node.edges)
      line('')
    }
    line(`totals: ${sumNs}`)
    out.flush()
  }

  return createSummedExport(graph, finish)
}

function inclusiveOf(edges: ReadonlyMap<number, CallGraphEdge>): number {
  let sum = 0
  for (const { inclusiveNs } of edges.values()) sum += inclusiveNs
  return sum
}

function nameOf({ fn, isRecursive }: CallGraphNode): string {
  return isRecursive ? `${fn.name}'2` : fn.name
}

/** The format's name compression: `(1) name` where a name first appears, `(1)` from then on. */
class Compressed {
  readonly #ids = new Map<string, number>()

  name(name: string): string {
    const known = this.#ids.get(name)
    if (known !== undefined) return `(${known})`
    const id = this.#ids.size + 1
    this.#ids.set(name, id)
    return `(${id}) ${escapeText(name)}`
  }
}
