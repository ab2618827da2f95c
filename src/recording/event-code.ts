/**
 * How an event begins. The lower two bits of its first byte are its form. For `exit`, `entry` and `otherEntry` the
 * upper six begin a variable-length number, the nanoseconds since the last event: five bits, then groups of seven as
 * long as the highest bit is set. For `operation` they are an operation.
 */
export const form = {
  /** The innermost call returns as expected. */
  exit: 0,
  /** The function that was expected is entered, at the stack pointer that was expected. */
  entry: 1,
  /** A function (a number follows) is entered at the stack pointer that was expected. */
  otherEntry: 2,
  operation: 3,
} as const

/**
 * Operations. Up to `lastThread`: the events that follow are of the thread with this number. Numbers are
 * variable-length (groups of seven bits, lowest first); signed ones are doubled, and odd for negative numbers.
 */
export const operation = {
  lastThread: 47,
  /** The same, thread number. */
  thread: 48,
  /** Thread id, process id, processor: the events that follow are of this thread, which gets the next number. */
  newThread: 49,
  /** The thread now runs on this processor. */
  processor: 50,
  /** Time, function, stack pointer below the reference (signed). */
  entryAt: 51,
  /** Time, function, stack pointer above the reference (signed). */
  returnAt: 52,
  retAt: 53,
  /** The last event's time is now taken to be so much earlier. */
  back: 54,
  /** Time and stack as 64-bit floating point, kind, function, thread id, processor: nothing is learned from it. */
  verbatim: 55,
  /** As `retAt`, of a jump. */
  jumpAt: 56,
} as const

/** A double holds sums and doubles of smaller numbers exactly. */
export const largestNumber = 2 ** 51
/** No event takes more, with what precedes it. */
export const longestEventBytes = 80
