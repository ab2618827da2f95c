import { type Call, type CallEnd, migrations, offCpuNs, pageFaults } from '../trace/call.ts'
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
const onePageFault = encode(' page fault')
const oneMigration = encode(' migration')
const plural = encode('s')

/** Whether there is more to say of an ended call than its duration. */
export function hasRemarks(call: Call): boolean {
  return call.how !== 'return' || offCpuNs(call) > 0 || pageFaults(call) > 0 || migrations(call) > 0
}

/**
 * `cut, off CPU 10.081 ms, 3 page faults, 1 migration`: how it ended, if not by a return, how long it was off CPU, and
 * what else happened to it, if anything.
 */
export function writeRemarks(out: ByteWriter, call: Call): void {
  let isFirst = call.how === 'return'
  out.bytes(ends[call.how])
  const next = () => {
    if (!isFirst) out.bytes(comma)
    isFirst = false
  }
  const count = (number: number, one: Uint8Array) => {
    if (number === 0) return
    next()
    out.integer(number)
    out.bytes(one)
    if (number !== 1) out.bytes(plural)
  }
  const ns = offCpuNs(call)
  if (ns > 0) {
    next()
    out.bytes(offCpu)
    writeDuration(out, ns, bound.exact, 'inline', false)
  }
  count(pageFaults(call), onePageFault)
  count(migrations(call), oneMigration)
}
