import { type Call, durationNs } from './call.ts'

/** A call that a filter keeps beyond the callback, or passes on changed. */
export type MutableCall = { -readonly [Field in keyof Call]: Call[Field] }

export function copyOf(call: Call): MutableCall {
  const copy = {} as MutableCall
  copyInto(copy, call)
  return copy
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
  copy.weight = call.weight ?? 1
  copy.durationNs = durationNs(call)
  copy.beginOverheadNs = call.beginOverheadNs ?? 0
  copy.endOverheadNs = call.endOverheadNs ?? 0
  copy.beginOffCpuNs = call.beginOffCpuNs ?? 0
  copy.endOffCpuNs = call.endOffCpuNs ?? 0
  copy.beginPageFaults = call.beginPageFaults ?? 0
  copy.endPageFaults = call.endPageFaults ?? 0
  copy.beginMigrations = call.beginMigrations ?? 0
  copy.endMigrations = call.endMigrations ?? 0
}
