import { encode } from './byte-writer.ts'
import { hasRemarks, writeRemarks } from './call-remarks.ts'
import { functionNames, perFunction } from './function-text.ts'
import type { OutputSink } from './output-sink.ts'
import { createTableSink, type TableSinkOptions } from './table-sink.ts'

const indentPerDepth = 2

const commentBegin = encode(' /* ')
const commentEnd = encode(' */')
/** After `} /* f` */
const colon = encode(': ')

/**
 * The call graph as a table: duration, then the tree.
 *
 *        DURATION | FUNCTION
 *                 | main() {
 *        1.234 us |   leaf();
 *     >  2.000 ms | } /* main: cut *\/
 *
 *       10.105 ms | nap(); /* off CPU 10.081 ms *\/
 *
 * A duration with `>` is at least that long (the call was cut), one with `<` at most (its return was not seen).
 * An indentation is to be read within its own thread: a dashed line marks each switch to another one.
 */
export function createGraphSink(options: TableSinkOptions): OutputSink {
  const textOf = perFunction((fn) => {
    const { name, call } = functionNames(fn, options.libname)
    return { opening: encode(`${call} {`), leaf: encode(`${call};`), closing: encode(`} /* ${name}`) }
  })
  return createTableSink(options, {
    columns: ['duration'],
    separators: true,
    opening: (out, fn, depth) => {
      out.spaces(indentPerDepth * depth)
      out.bytes(textOf(fn).opening)
    },
    leaf: (out, call) => {
      out.spaces(indentPerDepth * call.depth)
      out.bytes(textOf(call.fn).leaf)
      if (!hasRemarks(call)) return
      out.bytes(commentBegin)
      writeRemarks(out, call)
      out.bytes(commentEnd)
    },
    closing: (out, call) => {
      out.spaces(indentPerDepth * call.depth)
      out.bytes(textOf(call.fn).closing)
      if (hasRemarks(call)) {
        out.bytes(colon)
        writeRemarks(out, call)
      }
      out.bytes(commentEnd)
    },
  })
}
