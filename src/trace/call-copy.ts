import type { Call } from './call.ts'

/** A call that a filter keeps beyond the callback, or passes on changed. */
export type MutableCall = { -readonly [Field in keyof Call]: Call[Field] }

export function copyOf({ fn, thread, depth, beginNs, beginCpu, endNs, endCpu, how }: Call): MutableCall {
  return { fn, thread, depth, beginNs, beginCpu, endNs, endCpu, how }
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
}
