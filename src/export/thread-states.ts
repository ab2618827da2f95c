import type { TracedThread } from '../trace/call.ts'

/** One more than the largest thread id that Linux gives (`PID_MAX_LIMIT`). */
const tidLimit = 2 ** 22

/**
 * State per thread, for formats that give each thread its place in the file: unlike `ThreadTable` it forgets
 * none, and a thread id that comes again in another process is another thread.
 */
export class ThreadStates<State> {
  readonly #create: (thread: TracedThread) => State
  readonly #states = new Map<number, State>()
  #lastTid = -1
  #lastPid = -1
  #lastState: State | undefined

  constructor(create: (thread: TracedThread) => State) {
    this.#create = create
  }

  of(thread: TracedThread): State {
    const { pid, tid } = thread
    if (tid === this.#lastTid && pid === this.#lastPid) return this.#lastState!
    const key = pid * tidLimit + tid
    let state = this.#states.get(key)
    if (state === undefined) {
      state = this.#create({ pid, tid })
      this.#states.set(key, state)
    }
    this.#lastTid = tid
    this.#lastPid = pid
    this.#lastState = state
    return state
  }

  /** In the order in which their threads appeared. */
  all(): IterableIterator<State> {
    return this.#states.values()
  }

  get size(): number {
    return this.#states.size
  }
}
