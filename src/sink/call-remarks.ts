import { type Call, type CallEnd, offCpuNs } from '../trace/call.ts'
import { type ByteWriter, encode } from './byte-writer.ts'
import { bound } from './columns.ts'
import { writeDuration } from './time-text.ts'

const ends: Readonly<Record<CallEnd, Uint8Array>> = {
  return: encode(''),
  unwound: encode('unwound'),
  inferred: encode('inferred'),
  cut: encode('cut'),
}
const comma = encode(', ')
const offCpu = encode('off CPU ')

/** Whether there is more to say of an ended call than its duration. */
export function hasRemarks(call: Call): boolean {
  return call.how !== 'return' || offCpuNs(call) > 0
}

/** `cut, off CPU 10.081 ms`: how it ended, if not by a return, and how long it was off CPU. */
export function writeRemarks(out: ByteWriter, call: Call): void {
  out.bytes(ends[call.how])
  const ns = offCpuNs(call)
  if (ns === 0) return
  if (call.how !== 'return') out.bytes(comma)
  out.bytes(offCpu)
  writeDuration(out, ns, bound.exact, 'inline', false)
}
