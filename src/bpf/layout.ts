/**
 * What user space and the BPF program agree on: mirrors bpf/utrace.bpf.c.
 * A record of a CPU's ring is: u64 time (ns), u64 stack, u32 thread (and the number of the round: src/bpf/event-ring.ts), u32 kind
 * (upper 5 bits) and function id.
 * The kinds are those of src/base/event.ts.
 */
export const recordBytes = 24
export const kindShift = 27
export const functionIdMask = (1 << kindShift) - 1

/** A record of the control ring begins with: u32 kind, u32 pid, u32 thread, u32 parent. */
export const controlKind = {
  started: 0,
  loaded: 1,
  exec: 2,
  forked: 3,
  unwinds: 4,
  ended: 5,
  full: 6,
  left: 7,
  deep: 8,
  events: 9,
  caught: 10,
} as const

/**
 * After `unwinds` and `caught` follow u64 time (ns), u64 trampoline, u32 CPU and u32 number of a wait (0: none), u32 whether
 * the returns may be hooked again, u32 number of returns; of each: u64 slot, u64 return address, u64 probe address.
 */
export const stackRecord = {
  timeNs: 16,
  trampoline: 24,
  waitCpu: 32,
  waitNumber: 36,
  mayHookAgain: 40,
  count: 44,
  returns: 48,
} as const
export const hookedReturnBytes = 24

/**
 * A value of the `cpus` map is: u64 records lost, u64 whether the next one is to wake the reader up, u64 calls that were too
 * short to be reported. As 32-bit words:
 */
export const cpuWords = 6
export const cpuWord = { lost: 0, readerSleeps: 2, leftOut: 4 } as const

/**
 * What is listed of a thread whose calls are held back (list_held): u64 version, struct held_calls, u64 version after.
 * Offsets from the begin of all that, in bytes.
 */
export const heldThread = {
  bytes: 8 + 120 + 256 * 56 + 8,
  version: 0,
  thread: 12,
  told: 20,
  end: 24,
  hiddenNs: 56,
  calls: 128,
  versionAfter: 8 + 120 + 256 * 56,
} as const
/** Of a held call: u64 stack, u64 stack pointer at its probe, u64 begin, u64, u64 cost of hits before, u32 function, two u32, u32 CPU. */
export const heldCall = { bytes: 56, pointer: 8, beginNs: 16, hiddenNs: 32, functionId: 40, cpu: 52 } as const
export const heldCallsMax = 256

/**
 * A value of the `waits` map is a cache line. As 32-bit words: whether it is in use, the number of the wait with its state
 * in the lower bits.
 */
export const waitWords = 16
export const waitStateWord = 1
export const waitStateBits = 2
export const waitState = { asked: 0, taken: 1, answered: 2 } as const

/** The attach cookie of a function by which unwinders start: its argument is an exception that may be caught. */
export const unwinderThrows = 1

/** A value of the `processes` map is: u64 caller start, u64 caller end, u64 flags. */
export const processValueBytes = 24
export const processFlag = { followForks: 1, cleansChildren: 2, neverStops: 4 } as const

/** Flags in the `functions` map, a byte for each function id. */
export const functionFlag = {
  leavesReturnAlone: 1,
  starts: 2,
  stops: 4,
  tailCalls: 8,
  loops: 16,
  exitsProbed: 32,
  endsAtEntry: 64,
  dropped: 128,
} as const
export const functionsMax = 1 << 20

/** The members of the kernel's structures that the program reads, in the order of its `config`. */
export const kernelMembers = [
  ['task_struct', 'pid'],
  ['task_struct', 'tgid'],
  ['task_struct', 'real_parent'],
  ['task_struct', 'signal'],
  ['task_struct', 'mm'],
  ['task_struct', 'utask'],
  ['signal_struct', 'live'],
  ['uprobe_task', 'return_instances'],
  ['return_instance', 'func'],
  ['return_instance', 'stack'],
  ['return_instance', 'orig_ret_vaddr'],
  ['return_instance', 'next'],
  ['mm_struct', 'uprobes_state'],
  ['xol_area', 'vaddr'],
] as const

/**
 * The members that a program looks at instead of calling the kernel, in the order of its `config`. Where one is missing it
 * calls.
 */
export const runContextMembers = [
  ['task_struct', 'bpf_ctx'],
  ['bpf_session_run_ctx', 'is_return'],
  ['bpf_uprobe_multi_run_ctx', 'uprobe'],
  ['bpf_uprobe', 'cookie'],
] as const
export const runContextType = 'bpf_uprobe_multi_run_ctx'
/** Its first member, so that the latter's members lie at the same offsets. */
export const runContextFirstMember = ['bpf_uprobe_multi_run_ctx', 'session_ctx'] as const

/** So many calls of a thread, each within the one before, can be told from deeper ones. */
export const depthLimitMax = 32

/** Parts of an attach cookie above the function id. */
export const cookie = {
  /** Of an exit. */
  condition: 2 ** 32,
  /** Of an entry: an index into `entryProbes`. */
  entryProbe: 2 ** 32,
  exit: 2 ** 40,
  libraryCall: 2 ** 41,
  noHook: 2 ** 42,
  jump: 2 ** 43,
  displacement: 2 ** 44,
} as const
/** Words between the stack pointer at an entry probe and the return address: what a cookie has room for. */
export const displacementWordsMax = 255
