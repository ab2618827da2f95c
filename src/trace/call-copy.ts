import type { Call } from './call.ts'

/** A call that a filter keeps beyond the callback, or passes on changed. */
export type MutableCall = { -readonly [Field in keyof Call]: Call[Field] }

export function copyOf(call: Call): MutableCall {
  const { fn, thread, depth, beginNs, beginCpu, endNs, endCpu, how, isInherited = false, waitedNs = 0 } = call
  return { fn, thread, depth, beginNs, beginCpu, endNs, endCpu, how, isInherited, waitedNs }
}

export function copyInto(copy: MutableCall, call: Call): void {
  copy.fn = call.fn
  copy.thread = call.thread
  copy.depth = call.depth
  copy.beginNs = call.beginNs
  copy.beginCpu = call.beginCpu
  copy.endNs = call.endNs
  copy.endCpu = call.endCpu
  copy.how = call.how
  copy.isInherited = call.isInherited === true
  copy.waitedNs = call.waitedNs ?? 0
}
