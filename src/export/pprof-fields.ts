/**
 * Field numbers of pprof's profiles, as far as they are written here.
 * Source: https://github.com/google/pprof/blob/main/proto/profile.proto
 */
export const profile = {
  sampleType: 1,
  sample: 2,
  mapping: 3,
  location: 4,
  function: 5,
  stringTable: 6,
  timeNanos: 9,
  durationNanos: 10,
  comment: 13,
  defaultSampleType: 14,
} as const
export const valueType = { type: 1, unit: 2 } as const
export const sample = { locationId: 1, value: 2, label: 3 } as const
export const label = { key: 1, str: 2, num: 3, numUnit: 4 } as const
export const mapping = { id: 1, filename: 5, hasFunctions: 7 } as const
export const location = { id: 1, mappingId: 2, line: 4 } as const
export const line = { functionId: 1 } as const
const functionFields = { id: 1, name: 2, systemName: 3 } as const

export { functionFields as function }
