import type { Call, TracedFunction, TraceSink } from './call.ts'
import { copyInto, copyOf, type MutableCall } from './call-copy.ts'
import { ThreadTable } from './thread-table.ts'

/** Whether a function is meant; asked often, so it should answer fast (`perFunctionOnce`). */
export type FunctionPredicate = (fn: TracedFunction) => boolean

/** Asks `predicate` once for each function id. */
export function perFunctionOnce(predicate: FunctionPredicate): FunctionPredicate {
  const answers: boolean[] = []
  return (fn) => {
    answers[fn.id] ??= predicate(fn)
    return answers[fn.id]!
  }
}

/**
 * Passes the calls of the functions that `shows` names. The others vanish from the tree as if they had not been
 * traced: what they call moves up to their callers, and depths count shown calls only.
 */
export function withShownFunctions(sink: TraceSink, shows: FunctionPredicate): TraceSink {
  return withShownCalls(sink, (open, fn) => {
    open.push(shows(fn))
  })
}

/** Passes calls of the functions that `isRoot` names and everything below them; the outermost of them get depth 0. */
export function withSubtrees(sink: TraceSink, isRoot: FunctionPredicate): TraceSink {
  return withShownCalls(sink, (open, fn) => {
    open.push(open.at(-1) === true || isRoot(fn))
  })
}

interface ShownCalls {
  /** For each open call of the thread whether it is shown. */
  readonly open: boolean[]
  shown: number
}

/** @param decide appends whether the call that begins is shown */
function withShownCalls(sink: TraceSink, decide: (open: boolean[], fn: TracedFunction) => void): TraceSink {
  const threads = new ThreadTable(
    (): ShownCalls => ({ open: [], shown: 0 }),
    (state) => state.open.length === 0,
  )
  let view: MutableCall | undefined
  function moved(call: Call, depth: number): Call {
    if (call.depth === depth) return call
    if (view === undefined) view = copyOf(call)
    else copyInto(view, call)
    view.depth = depth
    return view
  }
  return {
    begin: (call) => {
      const state = threads.of(call.thread)
      decide(state.open, call.fn)
      if (state.open.at(-1)) sink.begin(moved(call, state.shown++))
    },
    end: (call) => {
      const state = threads.of(call.thread)
      if (state.open.pop()) sink.end(moved(call, --state.shown))
    },
    lost: (loss) => sink.lost(loss),
    note: (note) => sink.note(note),
  }
}

/**
 * Passes the calls of the functions that `isTarget` names, and the calls that lead to them: what neither is one
 * nor calls one leaves no trace. Callers are passed on late, with their original times, when the first target
 * below them begins. Within a thread the order stays that of time; across threads it does not.
 */
export function withCallersOf(sink: TraceSink, isTarget: FunctionPredicate): TraceSink {
  const threads = new ThreadTable(
    (): HeldCallers => ({ pool: [], open: 0, shown: 0 }),
    (state) => state.open === 0,
  )
  return {
    begin: (call) => {
      const state = threads.of(call.thread)
      const held = state.pool[state.open]
      if (held === undefined) state.pool.push(copyOf(call))
      else copyInto(held, call)
      state.open++
      if (!isTarget(call.fn)) return
      while (state.shown < state.open) sink.begin(state.pool[state.shown++]!)
    },
    end: (call) => {
      const state = threads.of(call.thread)
      const wasShown = state.shown === state.open
      state.open--
      if (!wasShown) return
      state.shown = state.open
      sink.end(call)
    },
    lost: (loss) => sink.lost(loss),
    note: (note) => sink.note(note),
  }
}

interface HeldCallers {
  /** Copies of the open calls, outermost first; kept and overwritten when calls end. */
  readonly pool: MutableCall[]
  open: number
  /** The outermost `shown` of the open calls were passed on. */
  shown: number
}
