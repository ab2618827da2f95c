/**
 * What user space and the BPF program agree on: mirrors bpf/utrace.bpf.c.
 * A record of a CPU's ring is: u64 time (ns), u64 stack, u32 thread, u32 kind (upper 4 bits) and function id.
 * The kinds are those of src/base/event.ts.
 */
export const recordBytes = 24
export const kindShift = 28
export const functionIdMask = (1 << kindShift) - 1

/** A record of the control ring is: u32 kind, u32 pid, u32 thread, s32 result of stopping the process. */
export const controlKind = { started: 0, loaded: 1 } as const

/** A value of the `processes` map is: u64 caller start, u64 caller end, u64 flags. */
export const processValueBytes = 24
