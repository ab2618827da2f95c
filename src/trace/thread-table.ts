import type { TracedThread } from './call.ts'

const firstSweepSize = 1024

/**
 * State per thread for code that sees every event: one comparison when the thread is the one of the last event,
 * one look-up otherwise. States for which `idle` holds carry nothing worth keeping and are forgotten when the
 * table has grown, so that a program that starts threads without end does not grow the tracer.
 */
export class ThreadTable<State> {
  readonly #create: (thread: TracedThread) => State
  readonly #idle: (state: State) => boolean
  readonly #states = new Map<TracedThread, State>()
  #lastThread: TracedThread | undefined
  #lastState: State | undefined
  #sweepSize = firstSweepSize

  constructor(create: (thread: TracedThread) => State, idle: (state: State) => boolean) {
    this.#create = create
    this.#idle = idle
  }

  /** The state of `thread`, created on its first event and again after it was forgotten. */
  of(thread: TracedThread): State {
    if (thread === this.#lastThread) return this.#lastState!
    let state = this.#states.get(thread)
    if (state === undefined) {
      if (this.#states.size >= this.#sweepSize) this.#sweep()
      state = this.#create(thread)
      this.#states.set(thread, state)
    }
    this.#lastThread = thread
    this.#lastState = state
    return state
  }

  /** The states in the order in which their threads appeared. */
  all(): IterableIterator<State> {
    return this.#states.values()
  }

  get size(): number {
    return this.#states.size
  }

  #sweep(): void {
    for (const [thread, state] of this.#states) if (this.#idle(state)) this.#states.delete(thread)
    // Doubling keeps the cost of sweeping constant per new thread when most are busy.
    this.#sweepSize = Math.max(firstSweepSize, 2 * this.#states.size)
  }
}
