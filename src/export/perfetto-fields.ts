/**
 * Field numbers and values of the Perfetto trace format, as far as it is written here.
 * Source: https://github.com/google/perfetto/tree/main/protos/perfetto/trace (`trace_packet.proto`,
 * `clock_snapshot.proto`, `interned_data/interned_data.proto`, `track_event/*.proto`).
 */
export const trace = { packet: 1 } as const

export const packet = {
  clockSnapshot: 6,
  timestamp: 8,
  trustedPacketSequenceId: 10,
  trackEvent: 11,
  internedData: 12,
  sequenceFlags: 13,
  tracePacketDefaults: 59,
  trackDescriptor: 60,
  firstPacketOnSequence: 87,
} as const

export const sequenceFlags = { incrementalStateCleared: 1, needsIncrementalState: 2 } as const

export const packetDefaults = { timestampClockId: 58 } as const

export const clockSnapshot = { clocks: 1, primaryTraceClock: 2 } as const
export const clock = { clockId: 1, timestamp: 2 } as const
/** `BUILTIN_CLOCK_MONOTONIC` */
export const monotonicClock = 3
/** 64 to 127 are clocks of a packet sequence's own. */
export const ownClock = 64

export const internedData = { eventCategories: 1, eventNames: 2 } as const
export const internedEntry = { iid: 1, name: 2 } as const

export const trackDescriptor = { uuid: 1, name: 2, process: 3, thread: 4, parentUuid: 5, counter: 8 } as const
export const processDescriptor = { pid: 1, processName: 6 } as const
export const threadDescriptor = { pid: 1, tid: 2, threadName: 5 } as const
export const counterDescriptor = { unit: 3 } as const
/** `UNIT_COUNT` */
export const unitCount = 2

export const trackEvent = {
  categoryIids: 3,
  debugAnnotations: 4,
  type: 9,
  nameIid: 10,
  trackUuid: 11,
  name: 23,
  counterValue: 30,
} as const
export const eventType = { sliceBegin: 1, sliceEnd: 2, instant: 3, counter: 4 } as const

export const debugAnnotation = { uintValue: 3, stringValue: 6, name: 10 } as const
