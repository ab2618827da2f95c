/**
 * Branded numbers: a quantity carries its unit in its type, so that an address in memory and an offset in a
 * file cannot be mixed up. User-space addresses and offsets fit a double exactly (below 2^53).
 */
declare const unit: unique symbol
type Branded<Unit extends string> = number & { readonly [unit]: Unit }

/** Process id (thread group id), as the initial PID namespace numbers it. */
export type Pid = Branded<'pid'>
/** Thread id, as the initial PID namespace numbers it. */
export type Tid = Branded<'tid'>
/** Byte offset in a file. */
export type FileOffset = Branded<'file offset'>
/** Address in an ELF file's own address space, as linked: what a symbol's `st_value` holds. */
export type VirtualAddress = Branded<'virtual address'>
/** Address in a running process: a virtual address plus the module's load bias. */
export type RuntimeAddress = Branded<'runtime address'>
/** Nanoseconds since the base of a trace's clock (`TraceClock`): small enough to be exact for 104 days. */
export type TraceNs = Branded<'trace ns'>
/** A span of time in nanoseconds. */
export type DurationNs = Branded<'duration ns'>

export const asPid = (value: number) => value as Pid
export const asTid = (value: number) => value as Tid
export const asFileOffset = (value: number) => value as FileOffset
export const asVirtualAddress = (value: number) => value as VirtualAddress
export const asRuntimeAddress = (value: number) => value as RuntimeAddress
export const asTraceNs = (value: number) => value as TraceNs
export const asDurationNs = (value: number) => value as DurationNs
