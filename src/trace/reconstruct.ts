import { type EventConsumer, type EventKind, eventKind } from '../base/event.ts'
import { asDurationNs, asPid, asTid, asTraceNs, type Pid, type TraceNs } from '../base/units.ts'
import { type Call, type CallEnd, offCpuNs, type TraceSink } from './call.ts'
import { canTailCall, type FunctionTable } from './functions.ts'
import {
  entryCostOf,
  freeProbe,
  likelyDisturbanceNs,
  type ProbeCost,
  type ProbeCosts,
} from './probe-costs.ts'
import { type Frame, noTotals, type Stack, Thread, type ThreadTotals } from './stacks.ts'

export interface TraceStatistics {
  calls: number
  threads: number
  lostEvents: number
  openCalls: number
  /** Of a sample: how many calls were made, as far as those that were drawn tell. */
  estimatedCalls?: number
}

/** Return probes that the kernel keeps per thread; those beyond are not reported (MAX_URETPROBE_DEPTH, kernel/events/uprobes.c). */
const pendingReturnsLimit = 64
/** So early that others still have room: a return probe that is not hooked is a return that is not seen. */
const manyPendingReturns = 40

/** What the reconstruction finds out that whoever places the probes should know. */
export interface ReconstructionObserver {
  /** So many returns are hooked in one thread that the kernel will soon hook no more: their functions, innermost first. */
  manyReturnsPending(functionIds: readonly number[]): void
}

export interface ReconstructionOptions {
  readonly observer?: ReconstructionObserver | undefined
  /** What is taken off durations; undefined: nothing, they are what was measured. */
  readonly probeCosts?: ProbeCosts | undefined
}

/**
 * Rebuilds calls from events, thread by thread, from the order of entries and exits and their stack pointers.
 *
 * The stack grows down, and a call's stack pointer is the address of its return address. Hence:
 * - an exit at stack pointer s ends every open call at or below s. Calls below it never got an exit of their own:
 *   they were unwound, or their exits cannot be seen. A call at s besides the exiting one has tail-called it.
 * - an entry at stack pointer s proves that calls below s are over, and that a call at s is over too, unless it
 *   left its place to the new one by a tail call.
 * A thread may have several stacks: each holds a tree of its own.
 *
 * Durations are the program's. Each event says which probe was hit, and with that what it has cost the thread before and
 * after the clock was read: the sum of these costs between a call's two readings of the clock is taken off.
 */
export class Reconstruction implements EventConsumer {
  readonly #functions: FunctionTable
  readonly #sink: TraceSink
  readonly #pidOf: (tid: number) => number
  readonly #observer: ReconstructionObserver | undefined
  readonly #costs: ProbeCosts | undefined
  /** By function, what its entry costs, once that was asked for. */
  readonly #entryCosts: ProbeCost[] = []
  readonly #threads = new Map<number, Thread>()
  /** The processes of threads whose birth was reported and who have not called anything yet. */
  readonly #bornIn = new Map<number, Pid>()
  /** Threads that have called something in an image that their process has left since: they are counted. */
  readonly #goneOn = new Set<number>()
  /** Functions whose returns were hooked, and since when they are not any more. */
  readonly #exitsProbed = new Map<number, TraceNs>()
  /** The program is known to switch stacks. */
  #switchesStacks = false
  /** One call in so many is drawn, and counts; 1: all calls are there. */
  #sampleInterval = 1
  #current: Thread | undefined
  #losses = 0
  readonly statistics: TraceStatistics = { calls: 0, threads: 0, lostEvents: 0, openCalls: 0 }
  /** How long threads were held up so that no event was lost, all together. */
  waitedNs = 0

  /** @param pidOf the process of a thread whose birth was not reported */
  constructor(
    functions: FunctionTable,
    sink: TraceSink,
    pidOf: (tid: number) => number,
    { observer, probeCosts }: ReconstructionOptions = {},
  ) {
    this.#functions = functions
    this.#sink = sink
    this.#pidOf = pidOf
    this.#observer = observer
    this.#costs = probeCosts
  }

  /** Takes the next event. Events come in the order of their time, at least within each thread. */
  event(time: TraceNs, stack: number, tid: number, kind: EventKind, functionId: number, cpu: number): void {
    switch (kind) {
      case eventKind.entry: {
        const thread = this.#thread(tid)
        const { beforeNs, afterNs } = this.#entryCost(functionId)
        thread.overheadNs += beforeNs
        this.#enter(time, stack, thread, functionId, cpu)
        thread.overheadNs += afterNs
        break
      }
      case eventKind.return:
      case eventKind.ret:
      case eventKind.jump: {
        const thread = this.#thread(tid)
        const { beforeNs, afterNs } = this.#exitCost(kind)
        thread.overheadNs += beforeNs
        this.#leave(time, stack, thread, cpu)
        thread.overheadNs += afterNs
        break
      }
      case eventKind.lost:
        this.lost(time, stack, cpu)
        break
      case eventKind.threadExit:
        this.#endThread(time, tid, cpu)
        break
      case eventKind.exec:
        this.#endProcess(time, stack, cpu)
        break
      case eventKind.fork:
        this.#fork(time, this.#thread(tid), stack, functionId === 1, cpu)
        break
      case eventKind.unwound:
        this.#unwind(time, stack, this.#thread(tid), functionId, cpu)
        break
      case eventKind.exitsProbed:
        this.#exitsProbed.set(functionId, time)
        break
      case eventKind.signal:
        this.#thread(tid).signal()
        break
      case eventKind.stacksSwitch:
        this.#switchesStacks = true
        break
      case eventKind.waited:
        this.#thread(tid).waited(stack, functionId === 1)
        this.waitedNs += stack
        break
      case eventKind.dropped:
        this.#drop(functionId)
        break
      case eventKind.sample:
        this.#sampleInterval = stack
        this.statistics.estimatedCalls = 0
        break
      case eventKind.drawn:
        this.#thread(tid).isDrawing = true
        break
      case eventKind.over:
        this.#leave(time, stack, this.#thread(tid), cpu)
        break
      case eventKind.hidden:
        if (this.#costs !== undefined) this.#thread(tid).overheadNs += stack
        break
      case eventKind.threadTimes:
        this.#resume(this.#thread(tid), time, stack, functionId)
        break
      case eventKind.threadCounts: {
        const thread = this.#thread(tid)
        thread.pageFaults = time
        thread.migrations = stack
        break
      }
      // Of the following, threads that call nothing are nobody's concern.
      case eventKind.pageFault: {
        const thread = this.#threads.get(tid)
        if (thread !== undefined) thread.pageFaults++
        break
      }
      case eventKind.switched:
        this.#threads.get(tid)?.switched(time, functionId !== 0, cpu)
    }
  }

  /** Events that were not recorded: whatever was open may have ended, and begun again, unseen. 0 only marks that. */
  lost(time: TraceNs, count: number, cpu: number): void {
    this.#losses++
    if (count === 0) return
    this.statistics.lostEvents += count
    this.#sink.lost({ timeNs: time, cpu, count })
  }

  /**
   * Hands on events that bring a new reconstruction to the state of this one: the entries of all open calls, and
   * between those before and those after the last loss a loss of 0 events.
   */
  describeState(consumer: EventConsumer): void {
    for (const [id, time] of this.#exitsProbed) consumer.event(time, 0, 0, eventKind.exitsProbed, id, 0)
    if (this.#switchesStacks) consumer.event(asTraceNs(0), 0, 0, eventKind.stacksSwitch, 0, 0)
    if (this.#isSample) consumer.event(asTraceNs(0), this.#sampleInterval, 0, eventKind.sample, 0, 0)
    this.#describeOpenCalls(consumer, true)
    if (this.#losses > 0) consumer.event(asTraceNs(0), 0, 0, eventKind.lost, 0, 0)
    this.#describeOpenCalls(consumer, false)
    for (const { tid, isDrawing } of this.#threads.values()) {
      if (isDrawing) consumer.event(asTraceNs(0), 0, tid, eventKind.drawn, 0, 0)
    }
  }

  #describeOpenCalls(consumer: EventConsumer, beforeLoss: boolean): void {
    const stacks = [...this.#threads.values()].flatMap((thread) =>
      thread.stacks.map(({ frames, open }) => ({ frames, open, thread })),
    )
    for (const { frames, open, thread } of stacks) {
      const { tid } = thread
      const describe = (totals: ThreadTotals, childrenNs: number) => {
        describeThread(consumer, tid, totals, childrenNs, known)
        known = totals
      }
      let known = noTotals
      let callersChildrenNs = 0
      let described = false
      for (let index = 0; index < open; index++) {
        const frame = frames[index]!
        const { beginNs, beginCpu, fn, record, stack, losses } = frame
        if (losses < this.#losses === beforeLoss) {
          describe(this.totalsBefore(frame), callersChildrenNs)
          if (this.#isSample && frame.weight > 0)
            consumer.event(beginNs, 0, tid, eventKind.drawn, 0, beginCpu)
          consumer.event(beginNs, stack - record.entryDisplacement, tid, eventKind.entry, fn.id, beginCpu)
          described = true
        }
        callersChildrenNs = frame.childrenNs
      }
      if (described) describe(thread.totals, callersChildrenNs)
    }
  }

  /** What a thread has come to so far. */
  totalsOf(tid: number): ThreadTotals {
    return this.#threads.get(tid)?.totals ?? noTotals
  }

  /** How long the calls took, of those that have ended, that a thread's call at a depth has made. */
  childrenNsOf(tid: number, depth: number): number {
    return this.#threads.get(tid)?.current.frames[depth]?.childrenNs ?? 0
  }

  /** What the thread of a call had come to before the probe of its entry was hit. */
  totalsBefore(call: Call): ThreadTotals {
    const { beginOverheadNs = 0, beginOffCpuNs = 0, beginPageFaults = 0, beginMigrations = 0 } = call
    return {
      overheadNs: beginOverheadNs - this.#entryCost(call.fn.id).beforeNs,
      offCpuNs: beginOffCpuNs,
      away: undefined,
      pageFaults: beginPageFaults,
      migrations: beginMigrations,
    }
  }

  /** Takes up what a state says: the calls that are open have begun before the events that were seen. */
  #resume(thread: Thread, offCpuNs: number, overheadNs: number, childrenNs: number): void {
    thread.resumeOffCpu(offCpuNs)
    if (this.#costs === undefined) return
    thread.overheadNs = overheadNs
    const { frames, open } = thread.current
    if (open > 0) frames[open - 1]!.childrenNs = childrenNs
  }

  /**
   * Cuts every call that is still open, thread by thread, innermost first.
   * @param time from when on ends may not have been seen; what was seen of a thread later proves that its calls were open then
   */
  finish(time: TraceNs): void {
    for (const thread of this.#threads.values()) this.#cut(thread, asTraceNs(Math.max(time, thread.lastNs)))
  }

  #thread(tid: number): Thread {
    const current = this.#current
    if (current !== undefined && current.tid === tid) return current
    let thread = this.#threads.get(tid)
    if (thread === undefined) {
      thread = new Thread(asTid(tid), this.#bornIn.get(tid) ?? asPid(this.#pidOf(tid)))
      this.#bornIn.delete(tid)
      this.#threads.set(tid, thread)
      if (!this.#goneOn.delete(tid)) this.statistics.threads++
    }
    this.#current = thread
    return thread
  }

  #enter(time: TraceNs, stackAtProbe: number, thread: Thread, functionId: number, cpu: number): void {
    thread.lastNs = time
    const record = this.#functions[functionId]!
    const pointer = stackAtProbe + record.entryDisplacement
    const stack = thread.onlyStackForEntry(pointer) ?? this.#stackForEntry(time, pointer, thread, cpu)
    for (let top = stack.top; top !== undefined; top = stack.top) {
      if (top.stack > pointer) break
      if (top.stack === pointer && this.#isOpenAt(top)) {
        // The next turn of a loop, not a call.
        if (top.fn === record.fn && record.loopsToEntry) {
          thread.isDrawing = false
          return
        }
        if (canTailCall(top.record, record.fn)) break
      }
      this.#end(thread, stack, time, cpu, this.#howMissed(top))
    }
    const depth = stack.open
    const frame = stack.frames[depth] ?? stack.newFrame(record)
    frame.fn = record.fn
    frame.stack = pointer
    frame.beginNs = time
    frame.beginCpu = cpu
    frame.beginOverheadNs = thread.overheadNs
    frame.beginOffCpuNs = thread.offCpuNs(time)
    frame.beginPageFaults = thread.pageFaults
    frame.beginMigrations = thread.migrations
    frame.childrenNs = 0
    frame.record = record
    frame.isInherited = false
    frame.weight = this.#isSample ? this.#takeWeight(thread) : 1
    const probed = record.wayOut === 'ret' || this.#areExitsProbed(functionId, time)
    frame.hooked = !probed && record.wayOut === 'return' && thread.pendingReturns < pendingReturnsLimit
    frame.returnExpected = frame.hooked || probed
    frame.losses = this.#losses
    frame.waitedNs = thread.waitedNs
    const top = stack.top
    frame.isInPlace = top !== undefined && top.stack === pointer && (top.returnExpected || top.isInPlace)
    stack.open = depth + 1
    if (frame.hooked && ++thread.pendingReturns === manyPendingReturns) this.#reportPending(stack)
    this.statistics.calls++
    this.#sink.begin(frame)
    if (record.wayOut === 'entry') this.#end(thread, stack, time, cpu, 'return')
  }

  #leave(time: TraceNs, pointer: number, thread: Thread, cpu: number): void {
    thread.lastNs = time
    const stack = thread.onlyStackForExit(pointer) ?? this.#stackForExit(time, pointer, thread, cpu)
    if (stack === undefined) return
    for (let top = stack.top; top !== undefined && top.stack <= pointer; top = stack.top) {
      const how =
        top.stack < pointer ? this.#howMissed(top) : top.losses === this.#losses ? 'return' : 'inferred'
      this.#end(thread, stack, time, cpu, how)
    }
    stack.endHandlers()
  }

  get #isSample(): boolean {
    return this.#sampleInterval > 1
  }

  #takeWeight(thread: Thread): number {
    if (!thread.isDrawing) return 0
    thread.isDrawing = false
    this.statistics.estimatedCalls! += this.#sampleInterval
    return this.#sampleInterval
  }

  /** Not within `#enter`: a closure there would be made for every event. */
  #stackForEntry(time: TraceNs, pointer: number, thread: Thread, cpu: number): Stack {
    const leave = (left: Stack) => this.#end(thread, left, time, cpu, this.#howMissed(left.top!))
    return thread.stackForEntry(pointer, this.#switchesStacks, leave)
  }

  #stackForExit(time: TraceNs, pointer: number, thread: Thread, cpu: number): Stack | undefined {
    const leave = (left: Stack) => this.#end(thread, left, time, cpu, this.#howMissed(left.top!))
    return thread.stackForExit(pointer, this.#switchesStacks, leave)
  }

  #entryCost(functionId: number): ProbeCost {
    if (this.#costs === undefined) return freeProbe
    this.#entryCosts[functionId] ??= entryCostOf(this.#costs, this.#functions[functionId]!)
    return this.#entryCosts[functionId]
  }

  #exitCost(kind: EventKind): ProbeCost {
    if (this.#costs === undefined) return freeProbe
    if (kind === eventKind.return) return this.#costs.return
    return kind === eventKind.ret ? this.#costs.ret : this.#costs.jump
  }

  /** What is told to happen from a time on may be told before earlier events are. */
  #areExitsProbed(functionId: number, time: TraceNs): boolean {
    const since = this.#exitsProbed.size === 0 ? undefined : this.#exitsProbed.get(functionId)
    return since !== undefined && time >= since
  }

  /** The calls of the function that are open now may end unseen. */
  #drop(functionId: number): void {
    for (const { stacks } of this.#threads.values()) {
      for (const { frames, open } of stacks) {
        for (const frame of frames.slice(0, open)) {
          if (frame.fn.id === functionId && !frame.hooked) frame.returnExpected = false
        }
      }
    }
  }

  #reportPending({ frames, open }: Stack): void {
    const ids: number[] = []
    for (let depth = open - 1; depth >= 0; depth--) {
      const frame = frames[depth]!
      if (frame.hooked) ids.push(frame.fn.id)
    }
    this.#observer?.manyReturnsPending(ids)
  }

  /** An exception handler begins: what lies below it on the stack is gone. */
  #unwind(time: TraceNs, pointer: number, thread: Thread, ownId: number, cpu: number): void {
    thread.lastNs = time
    const stack = thread.current
    for (let top = stack.top; top !== undefined; top = stack.top) {
      if (top.stack > pointer || top.fn.id === ownId) break
      if (top.stack === pointer && this.#isOpenAt(top) && top.record.mayTailCall) break
      this.#end(thread, stack, time, cpu, top.losses === this.#losses ? 'unwound' : 'inferred')
    }
    stack.endHandlers()
  }

  /** A child process begins as a copy of its parent's thread: the calls that are open there go on in both. */
  #fork(time: TraceNs, parent: Thread, childTid: number, sameProcess: boolean, cpu: number): void {
    // An id that is used again, by a thread whose end was lost.
    this.#endThread(time, childTid, cpu)
    if (sameProcess) {
      this.#bornIn.set(childTid, parent.pid)
      return
    }
    const child = new Thread(asTid(childTid), asPid(childTid))
    this.#threads.set(childTid, child)
    this.statistics.threads++
    const { frames, open } = parent.current
    const stack = child.current
    for (let depth = 0; depth < open; depth++) {
      const inherited = frames[depth]!
      const frame = stack.newFrame(inherited.record)
      frame.stack = inherited.stack
      frame.isInherited = true
      frame.weight = inherited.weight
      frame.waitedNs = 0
      frame.beginOverheadNs = 0
      frame.beginOffCpuNs = 0
      frame.beginPageFaults = 0
      frame.beginMigrations = 0
      frame.childrenNs = 0
      // The kernel lets only those see a hooked return who saw its entry: not the child's own probes.
      frame.hooked = false
      frame.returnExpected = inherited.returnExpected && !inherited.hooked
      frame.losses = inherited.losses
      frame.beginNs = time
      frame.beginCpu = cpu
      stack.open = depth + 1
      this.#sink.begin(frame)
    }
  }

  /**
   * Whether a call must still be open when another one begins in its place on the stack: it has handed the place on by
   * a jump. Its return, or that of the call whose place it was itself given, would have been reported.
   */
  #isOpenAt(frame: Frame): boolean {
    return (frame.returnExpected || frame.isInPlace) && frame.losses === this.#losses
  }

  /** How a call ended whose own return was not reported. */
  #howMissed(frame: Frame): CallEnd {
    return frame.returnExpected && frame.losses === this.#losses ? 'unwound' : 'inferred'
  }

  /** Ends the innermost open call of a stack. */
  #end(thread: Thread, stack: Stack, time: TraceNs, cpu: number, how: CallEnd): void {
    const frame = stack.frames[--stack.open]!
    if (frame.hooked) thread.pendingReturns--
    frame.endNs = time
    frame.endCpu = cpu
    frame.how = how
    frame.waitedNs = thread.waitedNs - frame.waitedNs
    frame.endOverheadNs = thread.overheadNs
    // Costs are what hits take on the whole: a single one may have taken less.
    const overheadNs = thread.overheadNs - frame.beginOverheadNs
    const disturbanceNs = likelyDisturbanceNs(this.#costs, overheadNs - frame.waitedNs)
    const ownNs = time - frame.beginNs - overheadNs - disturbanceNs
    frame.endOffCpuNs = thread.offCpuNs(time)
    frame.endPageFaults = thread.pageFaults
    frame.endMigrations = thread.migrations
    frame.durationNs = asDurationNs(Math.max(ownNs, frame.childrenNs, offCpuNs(frame), 0))
    if (stack.open > 0) stack.frames[stack.open - 1]!.childrenNs += frame.durationNs
    this.#sink.end(frame)
  }

  /** Cuts every call of the thread that is still open. @param cpu that of each call's begin where it is not known */
  #cut(thread: Thread, time: TraceNs, cpu?: number): void {
    this.statistics.openCalls += thread.openCalls
    for (const stack of thread.stacks) {
      while (stack.open > 0) {
        this.#end(thread, stack, time, cpu ?? stack.frames[stack.open - 1]!.beginCpu, 'cut')
      }
    }
  }

  #endThread(time: TraceNs, tid: number, cpu: number): void {
    const thread = this.#threads.get(tid)
    this.#bornIn.delete(tid)
    this.#goneOn.delete(tid)
    if (thread === undefined) return
    this.#cut(thread, time, cpu)
    this.#threads.delete(tid)
    if (this.#current === thread) this.#current = undefined
  }

  #endProcess(time: TraceNs, pid: number, cpu: number): void {
    const leaderHasCalled = this.#threads.has(pid) || this.#goneOn.has(pid)
    for (const thread of [...this.#threads.values()]) {
      if (thread.pid === pid) this.#endThread(time, thread.tid, cpu)
    }
    // The new image begins with the leader's thread alone.
    this.#bornIn.set(pid, asPid(pid))
    if (leaderHasCalled) this.#goneOn.add(pid)
  }
}

/**
 * Hands on events that bring a thread to what it has come to.
 * @param childrenNs how long the calls took that its innermost open call has made
 * @param known what was said of it before
 */
export function describeThread(
  consumer: EventConsumer,
  tid: number,
  { overheadNs, offCpuNs, away, pageFaults, migrations }: ThreadTotals,
  childrenNs: number,
  known: ThreadTotals,
): void {
  consumer.event(asTraceNs(offCpuNs), overheadNs, tid, eventKind.threadTimes, childrenNs, 0)
  if (pageFaults !== known.pageFaults || migrations !== known.migrations)
    consumer.event(asTraceNs(pageFaults), migrations, tid, eventKind.threadCounts, 0, 0)
  if (away !== undefined) consumer.event(away.sinceNs, 0, tid, eventKind.switched, 1, away.cpu)
}

/** Whether a thread has come to the same. */
export function isSameThread(one: ThreadTotals, other: ThreadTotals): boolean {
  return (
    one.overheadNs === other.overheadNs &&
    one.offCpuNs === other.offCpuNs &&
    one.away?.sinceNs === other.away?.sinceNs &&
    one.away?.cpu === other.away?.cpu &&
    one.pageFaults === other.pageFaults &&
    one.migrations === other.migrations
  )
}
