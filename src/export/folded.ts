import { escapeText } from '../base/escape.ts'
import { ByteWriter, encode } from '../sink/byte-writer.ts'
import { perFunction } from '../sink/function-text.ts'
import { CallTree, type CallTreeOptions } from './call-tree.ts'
import type { ExportSink, ExportTarget } from './export-sink.ts'
import { forEachStack, rootLabels } from './stack-paths.ts'
import { createSummedExport } from './summed-export.ts'

/**
 * What a stack counts: its own time (in nanoseconds, or in samples where a period is given), or its calls.
 */
export type StackWeight = 'time' | 'calls'

export interface FoldedOptions extends ExportTarget, CallTreeOptions {
  readonly by: StackWeight
}

const semicolon = 0x3b
const space = 0x20

/**
 * Folded stacks, one line each: `outer;inner;leaf WEIGHT`. With several threads, unless they are merged,
 * process and thread are the outermost two frames. A `;` in a name becomes `:`. What is not exact is said in
 * lines that start with `#`, which readers of the format skip. Memory grows with the number of distinct
 * stacks.
 * Source: https://github.com/brendangregg/FlameGraph#2-fold-stacks
 */
export function createFoldedExport(options: FoldedOptions): ExportSink {
  const { write, facts, by } = options
  const tree = new CallTree(options)
  const nameOf = perFunction((fn) => encode(frameText(fn.name)))

  function finish(remarks: readonly string[]): void {
    const out = new ByteWriter(write)
    for (const root of tree.roots) {
      const prefix = encode(
        rootLabels(root, facts, tree.roots.length)
          .map((label) => `${frameText(label)};`)
          .join(''),
      )
      forEachStack(root, (node, path) => {
        const weight = by === 'calls' ? node.calls : node.self
        if (weight === 0) return
        out.bytes(prefix)
        for (let index = 0; index < path.length; index += 1) {
          if (index > 0) out.byte(semicolon)
          out.bytes(nameOf(path[index]!.fn!))
        }
        out.byte(space)
        out.integer(weight)
        out.endLine()
      })
    }
    for (const line of remarks) {
      out.bytes(encode(`# ${line}`))
      out.endLine()
    }
    out.flush()
  }

  return createSummedExport(tree, finish)
}

/** A name can't carry the separator, and a line can't start like a remark. */
function frameText(name: string): string {
  return escapeText(name).replaceAll(';', ':').replace(/^#/, '＃')
}
