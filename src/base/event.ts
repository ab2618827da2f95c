import type { TraceNs } from './units.ts'

/**
 * The kinds of event that the kernel side reports, in the numbers that bpf/utrace.bpf.c writes.
 * What the `stack` field of an event holds depends on the kind.
 */
export const eventKind = {
  /** A traced function was entered; `stack` is the stack pointer at the probe. */
  entry: 0,
  /** A hooked return came through; `stack` is where the return address was. */
  return: 1,
  /** A `ret` instruction is about to run; `stack` is the stack pointer at the probe. */
  ret: 2,
  /** `stack` events of this CPU were not recorded since its last event. */
  lost: 3,
  /** The thread is ending; the function id is 1 if it was the last one of its process. */
  threadExit: 4,
  /** The process `stack` is about to run a new image. */
  exec: 5,
  /** The thread has made a thread `stack`: of the same process if the function id is 1, otherwise a process of its own. */
  fork: 6,
  /** An exception was caught: the calls at or below `stack` are gone, but for one of the function itself. */
  unwound: 7,
  /** Not from the kernel: from here on the function's exits are probed, and its returns not hooked any more. */
  exitsProbed: 8,
  /** A signal is delivered to the thread: its handler comes next. */
  signal: 9,
  /** Not from the kernel: the program is known to switch stacks. */
  stacksSwitch: 10,
  /** Like `ret`, at a jump by which the function leaves: the kernel emulates it, which costs less. `stack` is where the return address is. */
  jump: 11,
  /**
   * Not from the kernel: so far the thread has been off its CPU for `time` ns, probes have cost it `stack` ns, and what
   * its innermost open call has called took as many ns as the function id says.
   */
  threadTimes: 12,
  /** The thread has left its CPU, to wait (the function id is 1) or for another to run (2), or runs again (0). */
  switched: 13,
  /** The instruction at `stack` faulted, or the thread is killed there; the function id is its process. Never recorded. */
  faultAt: 16,
  /** Follows: `stack` is the stack pointer; the function id is 1 if a return address into the program is there. */
  fault: 17,
  /** The thread goes on after it was held up for `stack` ns: it had to wait for utrace, on its CPU if the function id is 1. */
  waited: 14,
  /** Not from the kernel: the function has lost its probes. Only hooked returns of its calls are still reported. */
  dropped: 15,
  /** Of a sample: the thread's next entry is of a call that was drawn. Others are recorded for lying within such a call. */
  drawn: 18,
  /** Of a sample: the calls below `stack` are over, it was not seen how. */
  over: 19,
  /** The program has touched a page that was not in place. */
  pageFault: 22,
  /** Not from the kernel: so far the thread has had `time` page faults, and has gone to another CPU `stack` times. */
  threadCounts: 23,
  /** Probes that make no event have cost the thread `stack` ns, since its last event. From the kernel: so far, in all. */
  hidden: 21,
  /** Not from the kernel: what follows is a sample, for which one call in `stack` is drawn. */
  sample: 20,
} as const

export type EventKind = (typeof eventKind)[keyof typeof eventKind]

/** Whether it stands at a place in time: it does not if it says what a thread has come to so far. */
export function isTimed(kind: EventKind): boolean {
  return kind !== eventKind.threadTimes && kind !== eventKind.threadCounts
}

/** Whether it is an entry or an exit of a function: all other kinds are rare. */
export function isCallEvent(kind: EventKind): boolean {
  return kind <= eventKind.ret || kind === eventKind.jump
}

/**
 * Takes events, each as plain numbers, in the order of their time (at least within each thread): the kernel's rings
 * and a recording drive it alike.
 */
export interface EventConsumer {
  /**
   * @param stack see `eventKind`
   * @param functionId index in the function table, for entries and exits
   */
  event(time: TraceNs, stack: number, tid: number, kind: EventKind, functionId: number, cpu: number): void
}
