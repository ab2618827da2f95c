/** What the kernel does at the instruction of an entry probe: executes it by itself, or has it executed elsewhere. */
export const entryProbes = [
  'emulated',
  'stepped',
  /** A nop of five bytes, at which newer kernels need no breakpoint. */
  'nop',
] as const
export type EntryProbe = (typeof entryProbes)[number]
