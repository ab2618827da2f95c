import { type Call, durationNs, type TracedFunction } from '../trace/call.ts'
import { type ByteWriter, encode } from './byte-writer.ts'
import { hasRemarks, writeRemarks } from './call-remarks.ts'
import { functionNames, perFunction } from './function-text.ts'
import type { OutputSink } from './output-sink.ts'
import { boundOf, createTableSink, resolutionOf, type TableSinkOptions } from './table-sink.ts'
import { writeBelowResolution, writeDuration } from './time-text.ts'

const arrows = { begin: encode('→ ['), end: encode('← ['), leaf: encode('↔ [') }
const afterDepth = encode('] ')
const beforeDuration = encode(' [')
const afterDuration = encode(']')
const commentBegin = encode(' /* ')
const commentEnd = encode(' */')

/**
 * One line per event, each to be read alone: `→ [depth] name` where a call begins, `← [depth] name [duration]`
 * where it ends, `↔ [depth] name [duration]` for a call without traced children. Depths count from 0.
 * Durations and columns as in the graph.
 */
export function createFlatSink(options: TableSinkOptions): OutputSink {
  const nameOf = perFunction((fn) => encode(functionNames(fn, options.libname).name))

  function event(out: ByteWriter, arrow: Uint8Array, fn: TracedFunction, depth: number): void {
    out.bytes(arrow)
    out.integer(depth)
    out.bytes(afterDepth)
    out.bytes(nameOf(fn))
  }

  function ended(out: ByteWriter, arrow: Uint8Array, call: Call): void {
    event(out, arrow, call.fn, call.depth)
    out.bytes(beforeDuration)
    if (durationNs(call) < resolutionOf(call)) writeBelowResolution(out, 'inline')
    else writeDuration(out, durationNs(call), boundOf(call.how), 'inline', options.color)
    out.bytes(afterDuration)
    if (!hasRemarks(call)) return
    out.bytes(commentBegin)
    writeRemarks(out, call)
    out.bytes(commentEnd)
  }

  return createTableSink(options, {
    columns: [],
    separators: false,
    opening: (out, fn, depth) => event(out, arrows.begin, fn, depth),
    leaf: (out, call) => ended(out, arrows.leaf, call),
    closing: (out, call) => ended(out, arrows.end, call),
  })
}
