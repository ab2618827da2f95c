import { asDurationNs, asTraceNs, type DurationNs, type Pid, type Tid, type TraceNs } from '../base/units.ts'
import type { Call, CallEnd, TracedFunction, TracedThread } from './call.ts'
import type { FunctionRecord } from './functions.ts'

/** A call on a stack. The objects are pooled: depth for depth, one per stack. */
export class Frame implements Call {
  fn: TracedFunction
  readonly thread: TracedThread
  readonly depth: number
  // Not 0, a small integer: the engine would have to lay the object out again when it holds its first real time.
  beginNs: TraceNs = asTraceNs(Number.NaN)
  beginCpu = 0
  endNs: TraceNs = asTraceNs(Number.NaN)
  endCpu = 0
  how: CallEnd = 'return'
  isInherited = false
  durationNs: DurationNs = asDurationNs(Number.NaN)
  beginOverheadNs = Number.NaN
  endOverheadNs = Number.NaN
  beginOffCpuNs = Number.NaN
  endOffCpuNs = Number.NaN
  beginPageFaults = 0
  endPageFaults = 0
  beginMigrations = 0
  endMigrations = 0
  /** How long the calls took, in all, that it has made and that have ended. */
  childrenNs = Number.NaN
  /** Stack pointer at the function's first instruction: the address that holds the return address. */
  stack = Number.NaN
  /** Its function, for what is asked rarely. */
  record: FunctionRecord
  /** Its return is hooked in the kernel. */
  hooked = false
  /** Its own return will be reported, unless it is unwound or events get lost. */
  returnExpected = false
  /** It stands in the place of a call that has made it by a tail call, and whose return is expected there. */
  isInPlace = false
  /** Number of losses before it began. */
  losses = 0
  /** What its thread had waited before it began; after its end, what it waited meanwhile. */
  waitedNs = 0
  weight = 1

  constructor(record: FunctionRecord, thread: TracedThread, depth: number) {
    this.fn = record.fn
    this.record = record
    this.thread = thread
    this.depth = depth
  }
}

/**
 * One stack of a thread, and the tree of calls on it. Coroutines give a thread several, each with a tree of its own; a
 * signal handler on an alternate stack is nested in what it interrupted.
 */
export class Stack implements TracedThread {
  readonly tid: Tid
  readonly pid: Pid
  readonly stack: number
  readonly frames: Frame[] = []
  /** Number of open calls: `frames` keeps the objects of ended ones for reuse. */
  open = 0
  /** Where the calls of signal handlers on alternate stacks begin: indices into `frames`, the outermost first. */
  readonly #handlers: number[] = []
  /** Calls below this index lie on another stack than the innermost one: they can't end by what happens here. */
  floor = 0

  constructor(tid: Tid, pid: Pid, stack: number) {
    this.tid = tid
    this.pid = pid
    this.stack = stack
  }

  get top(): Frame | undefined {
    return this.open > this.floor ? this.frames[this.open - 1] : undefined
  }

  newFrame(record: FunctionRecord): Frame {
    const frame = new Frame(record, this, this.frames.length)
    this.frames.push(frame)
    return frame
  }

  /** What is called now runs on an alternate stack, as long as its first call is open. */
  beginHandler(): void {
    this.#handlers.push(this.open)
    this.floor = this.open
  }

  /** Forgets the handlers whose calls have all ended. */
  endHandlers(): void {
    while (this.#handlers.length > 0 && this.open <= this.floor) {
      this.#handlers.pop()
      this.floor = this.#handlers.at(-1) ?? 0
    }
  }

  /** Whether a stack pointer belongs to this stack, however deep it is, even where the program switches stacks. */
  isNear(pointer: number): boolean {
    if (this.open <= this.floor) return false
    const innermost = this.frames[this.open - 1]!.stack
    return pointer <= innermost && innermost - pointer <= deepestCallAmongStacks
  }

  /**
   * How far a stack pointer is from the calls that it could belong to: 0 among them, otherwise the bytes below the
   * innermost or above the outermost. Undefined where it can't be on this stack.
   * @param deepest how many bytes one call may need
   */
  distance(pointer: number, deepest: number): number | undefined {
    if (this.open <= this.floor) return undefined
    const innermost = this.frames[this.open - 1]!.stack
    if (pointer <= innermost) return innermost - pointer <= deepest ? innermost - pointer : undefined
    const outermost = this.frames[this.floor]!.stack
    if (pointer <= outermost) return 0
    return pointer - outermost <= highestAbove ? pointer - outermost : undefined
  }
}

/** A thread calls functions from untraced ones, whose frames lie above: rarely more than this. */
const highestAbove = 64 << 10
/** The usual size of a whole stack: a jump by more is no call with a large frame. */
const deepestCall = 8 << 20
/** Where a program is known to switch stacks, a jump by more than this is taken for a switch. */
const deepestCallAmongStacks = 16 << 10

/** What a thread has come to so far. */
export interface ThreadTotals {
  /** What probes have cost it. */
  readonly overheadNs: number
  /** How long it has been off CPU, but for the time that it is off now. */
  readonly offCpuNs: number
  /** Since when it is off CPU, and which one it has left; undefined while it runs. */
  readonly away: { readonly sinceNs: TraceNs; readonly cpu: number } | undefined
  readonly pageFaults: number
  readonly migrations: number
}

export const noTotals: ThreadTotals = {
  overheadNs: 0,
  offCpuNs: 0,
  away: undefined,
  pageFaults: 0,
  migrations: 0,
}

export class Thread {
  readonly tid: Tid
  readonly pid: Pid
  readonly stacks: Stack[]
  /** The stack that the thread runs on. */
  current: Stack
  /** Returns that the kernel holds hooked, on all stacks. */
  pendingReturns = 0
  /** How long it has been held up by utrace. */
  waitedNs = 0
  /** What probes have cost it so far, that time included. */
  overheadNs = 0
  /** How long it has been off CPU, but for the current time. */
  #offCpuNs = 0
  #offSince: TraceNs | undefined
  /** The CPU that it has left last. */
  #leftCpu = 0
  #hasSwitched = false
  pageFaults = 0
  /** How often it has come back on another CPU than it had left. */
  migrations = 0
  /** A signal was delivered, and nothing has been called since. */
  #signalled = false
  /** Of a sample: the next call is one that was drawn. */
  isDrawing = false
  /** Where the last handler on an alternate stack ran. */
  #handlerAt = 0
  /** When something was last seen of it. */
  lastNs: TraceNs = asTraceNs(Number.NEGATIVE_INFINITY)

  constructor(tid: Tid, pid: Pid) {
    this.tid = tid
    this.pid = pid
    this.current = new Stack(tid, pid, 0)
    this.stacks = [this.current]
  }

  /** How long it has been off CPU until now. */
  offCpuNs(now: TraceNs): number {
    return this.#offSince === undefined ? this.#offCpuNs : this.#offCpuNs + (now - this.#offSince)
  }

  /** It was held up by utrace. @param onCpu otherwise it was off CPU, but not of its own accord */
  waited(ns: number, onCpu: boolean): void {
    this.waitedNs += ns
    this.overheadNs += ns
    if (this.#hasSwitched && !onCpu) this.#offCpuNs -= ns
  }

  /** It has left its CPU, or come back. */
  switched(time: TraceNs, isOff: boolean, cpu: number): void {
    this.#hasSwitched = true
    this.lastNs = time
    if (isOff) this.#leftCpu = cpu
    else if (this.#offSince !== undefined && cpu !== this.#leftCpu) this.migrations++
    this.#offCpuNs = this.offCpuNs(time)
    this.#offSince = isOff ? time : undefined
  }

  /** Takes up what a state says. */
  resumeOffCpu(untilNs: number): void {
    this.#offCpuNs = untilNs
    this.#offSince = undefined
  }

  get totals(): ThreadTotals {
    const { overheadNs, pageFaults, migrations } = this
    const away = this.#offSince === undefined ? undefined : { sinceNs: this.#offSince, cpu: this.#leftCpu }
    return { overheadNs, offCpuNs: this.#offCpuNs, away, pageFaults, migrations }
  }

  get openCalls(): number {
    return this.stacks.reduce((sum, { open }) => sum + open, 0)
  }

  /** The next call is that of a signal handler. */
  signal(): void {
    this.#signalled = true
  }

  /** What `stackForEntry` finds where a thread has one stack, and no signal is to be thought of: nearly always. */
  onlyStackForEntry(pointer: number): Stack | undefined {
    const { current } = this
    if (this.stacks.length > 1 || this.#signalled) return undefined
    return current.open === 0 || current.isNear(pointer) ? current : undefined
  }

  /** What `stackForExit` finds where a thread has one stack. */
  onlyStackForExit(pointer: number): Stack | undefined {
    return this.stacks.length === 1 && this.current.isNear(pointer) ? this.current : undefined
  }

  /**
   * Makes the stack current that a call is made on.
   * @param leave called for each call of a handler that a jump out of it has ended
   */
  stackForEntry(pointer: number, switches: boolean, leave: (stack: Stack) => void): Stack {
    const signalled = this.#signalled
    this.#signalled = false
    const { current } = this
    const deepest = switches ? deepestCallAmongStacks : deepestCall
    const isNear = current.open === 0 || current.distance(pointer, deepest) !== undefined
    // On the stack that it interrupts, a handler runs below what was called there; among that, something else runs.
    const interrupts = signalled && current.open > 0 && pointer > current.frames[current.floor]!.stack
    if (this.stacks.length === 1 && isNear && !interrupts) return current
    const continues = signalled || Math.abs(pointer - this.#handlerAt) <= highestAbove
    if (interrupts || (continues && !isNear)) {
      this.#handlerAt = pointer
      current.beginHandler()
      return current
    }
    return this.#nearest(pointer, deepest, leave) ?? this.#idleStack()
  }

  /** Makes the stack current on which a call ends; undefined where that can be none of the open ones. */
  stackForExit(pointer: number, switches: boolean, leave: (stack: Stack) => void): Stack | undefined {
    const { current } = this
    const deepest = switches ? deepestCallAmongStacks : deepestCall
    if (this.stacks.length === 1 && current.distance(pointer, deepest) !== undefined) return current
    return this.#nearest(pointer, deepest, leave)
  }

  #nearest(pointer: number, deepest: number, leave: (stack: Stack) => void): Stack | undefined {
    let nearest: Stack | undefined
    let least = Number.POSITIVE_INFINITY
    for (const stack of this.stacks) {
      const distance = stack.distance(pointer, deepest)
      if (distance === undefined || distance >= least) continue
      nearest = stack
      least = distance
    }
    if (nearest === undefined && this.current.floor > 0) {
      // Out of a handler, back to what it had interrupted.
      while (this.current.open > this.current.floor) leave(this.current)
      this.current.endHandlers()
      return this.#nearest(pointer, deepest, leave)
    }
    if (nearest !== undefined) this.current = nearest
    return nearest
  }

  #idleStack(): Stack {
    let stack = this.stacks.find(({ open }) => open === 0)
    if (stack === undefined) {
      stack = new Stack(this.tid, this.pid, this.stacks.length)
      this.stacks.push(stack)
    }
    this.current = stack
    return stack
  }
}
