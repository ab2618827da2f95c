/**
 * A frame of a flame graph before it is laid out. Children are made when they are asked for: most are too
 * narrow to be drawn.
 */
export interface FrameSource {
  readonly label: string
  /** Absent in frames that are no function: processes, threads, the whole. */
  readonly module: string | undefined
  /** Its width: what its stacks weigh, with all above them. */
  readonly value: number
  /** What it weighs without its children. */
  readonly self: number
  readonly calls: number
  readonly atLeast: number
  readonly atMost: number
  children(): readonly FrameSource[]
}

/** A frame around others: what is theirs is its own. */
export function enclosingFrame(label: string, inner: readonly FrameSource[]): FrameSource {
  const sum = (measure: (frame: FrameSource) => number) =>
    inner.reduce((total, frame) => total + measure(frame), 0)
  return {
    label,
    module: undefined,
    value: sum(({ value }) => value),
    self: 0,
    calls: sum(({ calls }) => calls),
    atLeast: sum(({ atLeast }) => atLeast),
    atMost: sum(({ atMost }) => atMost),
    children: () => inner,
  }
}
