import type { CallEnd } from '../trace/call.ts'
import { encode } from './byte-writer.ts'
import { functionNames, perFunction } from './function-text.ts'
import type { OutputSink } from './output-sink.ts'
import { createTableSink, type TableSinkOptions } from './table-sink.ts'

const indentPerDepth = 2

/** After `f();` */
const leafTail: Readonly<Record<CallEnd, Uint8Array>> = {
  return: encode(''),
  unwound: encode(' /* unwound */'),
  inferred: encode(' /* inferred */'),
  cut: encode(' /* cut */'),
}
/** After `} /* f` */
const closingTail: Readonly<Record<CallEnd, Uint8Array>> = {
  return: encode(' */'),
  unwound: encode(': unwound */'),
  inferred: encode(': inferred */'),
  cut: encode(': cut */'),
}

/**
 * The call graph as a table: duration, then the tree.
 *
 *        DURATION | FUNCTION
 *                 | main() {
 *        1.234 us |   leaf();
 *     >  2.000 ms | } /* main: cut *\/
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
      out.bytes(leafTail[call.how])
    },
    closing: (out, call) => {
      out.spaces(indentPerDepth * call.depth)
      out.bytes(textOf(call.fn).closing)
      out.bytes(closingTail[call.how])
    },
  })
}
