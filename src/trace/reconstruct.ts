import { type EventConsumer, type EventKind, eventKind } from '../base/event.ts'
import { asPid, asTid, asTraceNs, type Pid, type Tid, type TraceNs } from '../base/units.ts'
import type { Call, CallEnd, TracedFunction, TracedThread, TraceSink } from './call.ts'

/** What the reconstruction must know of a function besides its name. */
export interface FunctionRecord {
  readonly fn: TracedFunction
  /** Bytes by which the stack pointer at the entry probe lies below its value at the function's first instruction. */
  readonly entryDisplacement: number
  /**
   * How its returns are seen: hooked in the kernel, at the instructions by which it leaves, at its entry already
   * (nothing of it is left to run), or not at all.
   */
  readonly wayOut: 'return' | 'ret' | 'entry' | 'none'
  /** Whether it can leave by jumping to another function, which then runs in its place on the stack. */
  readonly mayTailCall: boolean
}

/** The function records by id. It may grow while tracing, as modules are loaded. */
export type FunctionTable = readonly FunctionRecord[]

export interface TraceStatistics {
  calls: number
  threads: number
  lostEvents: number
  openCalls: number
}

/** Return probes that the kernel keeps per thread; those beyond are not reported (MAX_URETPROBE_DEPTH, kernel/events/uprobes.c). */
const pendingReturnsLimit = 64
/** So early that others still have room: a return probe that is not hooked is a return that is not seen. */
const manyPendingReturns = 40

/** A call on a thread's stack. The objects are pooled: depth for depth, one per thread. */
class Frame implements Call {
  fn: TracedFunction
  readonly thread: TracedThread
  readonly depth: number
  beginNs: TraceNs = asTraceNs(0)
  beginCpu = 0
  endNs: TraceNs = asTraceNs(0)
  endCpu = 0
  how: CallEnd = 'return'
  /** Stack pointer at the function's first instruction: the address that holds the return address. */
  stack = 0
  /** Its function, for what is asked rarely. */
  record: FunctionRecord
  /** Its return is hooked in the kernel. */
  hooked = false
  /** Its own return will be reported, unless it is unwound or events get lost. */
  returnExpected = false
  /** Number of losses before it began. */
  losses = 0

  constructor(record: FunctionRecord, thread: TracedThread, depth: number) {
    this.fn = record.fn
    this.record = record
    this.thread = thread
    this.depth = depth
  }
}

/** What the reconstruction finds out that whoever places the probes should know. */
export interface ReconstructionObserver {
  /** So many returns are hooked in one thread that the kernel will soon hook no more: their functions, innermost first. */
  manyReturnsPending(functionIds: readonly number[]): void
}

class Thread implements TracedThread {
  readonly tid: Tid
  readonly pid: Pid
  readonly frames: Frame[] = []
  /** Number of open calls: `frames` keeps the objects of ended ones for reuse. */
  open = 0
  /** Returns that the kernel holds hooked. */
  pendingReturns = 0

  constructor(tid: Tid, pid: Pid) {
    this.tid = tid
    this.pid = pid
  }
}

/**
 * Rebuilds calls from events, thread by thread, from the order of entries and exits and their stack pointers.
 *
 * The stack grows down, and a call's stack pointer is the address of its return address. Hence:
 * - an exit at stack pointer s ends every open call at or below s. Calls below it never got an exit of their own:
 *   they were unwound, or their exits cannot be seen. A call at s besides the exiting one has tail-called it.
 * - an entry at stack pointer s proves that calls below s are over, and that a call at s is over too, unless it
 *   left its place to the new one by a tail call.
 */
export class Reconstruction implements EventConsumer {
  readonly #functions: FunctionTable
  readonly #sink: TraceSink
  readonly #pidOf: (tid: number) => number
  readonly #observer: ReconstructionObserver | undefined
  readonly #threads = new Map<number, Thread>()
  /** The processes of threads whose birth was reported and who have not called anything yet. */
  readonly #bornIn = new Map<number, Pid>()
  /** Functions whose returns were hooked, and are not any more. */
  readonly #exitsProbed = new Set<number>()
  #current: Thread | undefined
  #losses = 0
  readonly statistics: TraceStatistics = { calls: 0, threads: 0, lostEvents: 0, openCalls: 0 }

  /** @param pidOf the process of a thread whose birth was not reported */
  constructor(
    functions: FunctionTable,
    sink: TraceSink,
    pidOf: (tid: number) => number,
    observer?: ReconstructionObserver,
  ) {
    this.#functions = functions
    this.#sink = sink
    this.#pidOf = pidOf
    this.#observer = observer
  }

  /** Takes the next event. Events come in the order of their time, at least within each thread. */
  event(time: TraceNs, stack: number, tid: number, kind: EventKind, functionId: number, cpu: number): void {
    switch (kind) {
      case eventKind.entry:
        this.#enter(time, stack, this.#thread(tid), functionId, cpu)
        break
      case eventKind.return:
      case eventKind.ret:
        this.#leave(time, stack, this.#thread(tid), cpu)
        break
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
        this.#exitsProbed.add(functionId)
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
    for (const id of this.#exitsProbed) consumer.event(asTraceNs(0), 0, 0, eventKind.exitsProbed, id, 0)
    this.#describeOpenCalls(consumer, true)
    if (this.#losses > 0) consumer.event(asTraceNs(0), 0, 0, eventKind.lost, 0, 0)
    this.#describeOpenCalls(consumer, false)
  }

  #describeOpenCalls(consumer: EventConsumer, beforeLoss: boolean): void {
    for (const { frames, open, tid } of this.#threads.values()) {
      for (let index = 0; index < open; index++) {
        const { beginNs, beginCpu, fn, record, stack, losses } = frames[index]!
        if (losses < this.#losses !== beforeLoss) continue
        consumer.event(beginNs, stack - record.entryDisplacement, tid, eventKind.entry, fn.id, beginCpu)
      }
    }
  }

  /** Cuts every call that is still open, thread by thread, innermost first. */
  finish(time: TraceNs): void {
    for (const thread of this.#threads.values()) {
      this.statistics.openCalls += thread.open
      while (thread.open > 0) this.#end(thread, time, thread.frames[thread.open - 1]!.beginCpu, 'cut')
    }
  }

  #thread(tid: number): Thread {
    const current = this.#current
    if (current !== undefined && current.tid === tid) return current
    let thread = this.#threads.get(tid)
    if (thread === undefined) {
      thread = new Thread(asTid(tid), this.#bornIn.get(tid) ?? asPid(this.#pidOf(tid)))
      this.#bornIn.delete(tid)
      this.#threads.set(tid, thread)
      this.statistics.threads++
    }
    this.#current = thread
    return thread
  }

  #enter(time: TraceNs, stackAtProbe: number, thread: Thread, functionId: number, cpu: number): void {
    const record = this.#functions[functionId]!
    const stack = stackAtProbe + record.entryDisplacement
    while (thread.open > 0) {
      const top = thread.frames[thread.open - 1]!
      if (top.stack > stack || (top.stack === stack && this.#hasTailCalled(top))) break
      this.#end(thread, time, cpu, this.#howMissed(top))
    }
    const depth = thread.open
    const frame = thread.frames[depth] ?? this.#newFrame(thread, record)
    frame.fn = record.fn
    frame.stack = stack
    frame.beginNs = time
    frame.beginCpu = cpu
    frame.record = record
    const probed = record.wayOut === 'ret' || this.#exitsProbed.has(functionId)
    frame.hooked = !probed && record.wayOut === 'return' && thread.pendingReturns < pendingReturnsLimit
    frame.returnExpected = frame.hooked || probed
    frame.losses = this.#losses
    thread.open = depth + 1
    if (frame.hooked && ++thread.pendingReturns === manyPendingReturns) this.#reportPending(thread)
    this.statistics.calls++
    this.#sink.begin(frame)
    if (record.wayOut === 'entry') this.#end(thread, time, cpu, 'return')
  }

  #newFrame(thread: Thread, record: FunctionRecord): Frame {
    const frame = new Frame(record, thread, thread.frames.length)
    thread.frames.push(frame)
    return frame
  }

  #leave(time: TraceNs, stack: number, thread: Thread, cpu: number): void {
    while (thread.open > 0) {
      const top = thread.frames[thread.open - 1]!
      if (top.stack > stack) break
      if (top.stack === stack)
        this.#end(thread, time, cpu, top.losses === this.#losses ? 'return' : 'inferred')
      else this.#end(thread, time, cpu, this.#howMissed(top))
    }
  }

  #reportPending(thread: Thread): void {
    const ids: number[] = []
    for (let depth = thread.open - 1; depth >= 0; depth--) {
      const frame = thread.frames[depth]!
      if (frame.hooked) ids.push(frame.fn.id)
    }
    this.#observer?.manyReturnsPending(ids)
  }

  /** An exception handler begins: what lies below it on the stack is gone. */
  #unwind(time: TraceNs, stack: number, thread: Thread, ownId: number, cpu: number): void {
    while (thread.open > 0) {
      const top = thread.frames[thread.open - 1]!
      if (top.stack > stack || top.fn.id === ownId) break
      if (top.stack === stack && this.#hasTailCalled(top)) break
      this.#end(thread, time, cpu, top.losses === this.#losses ? 'unwound' : 'inferred')
    }
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
    for (let depth = 0; depth < parent.open; depth++) {
      const inherited = parent.frames[depth]!
      const frame = this.#newFrame(child, inherited.record)
      frame.stack = inherited.stack
      // The kernel lets only those see a hooked return who saw its entry: not the child's own probes.
      frame.hooked = false
      frame.returnExpected = inherited.returnExpected && !inherited.hooked
      frame.losses = inherited.losses
      frame.beginNs = time
      frame.beginCpu = cpu
      child.open = depth + 1
      this.#sink.begin(frame)
    }
  }

  /** Whether a call at the stack pointer of a new one is still open: it has handed its place on by a jump. */
  #hasTailCalled(frame: Frame): boolean {
    return frame.returnExpected && frame.losses === this.#losses && frame.record.mayTailCall
  }

  /** How a call ended whose own return was not reported. */
  #howMissed(frame: Frame): CallEnd {
    return frame.returnExpected && frame.losses === this.#losses ? 'unwound' : 'inferred'
  }

  /** Ends the innermost open call of the thread. */
  #end(thread: Thread, time: TraceNs, cpu: number, how: CallEnd): void {
    const frame = thread.frames[--thread.open]!
    if (frame.hooked) thread.pendingReturns--
    frame.endNs = time
    frame.endCpu = cpu
    frame.how = how
    this.#sink.end(frame)
  }

  #endThread(time: TraceNs, tid: number, cpu: number): void {
    const thread = this.#threads.get(tid)
    this.#bornIn.delete(tid)
    if (thread === undefined) return
    this.statistics.openCalls += thread.open
    while (thread.open > 0) this.#end(thread, time, cpu, 'cut')
    this.#threads.delete(tid)
    if (this.#current === thread) this.#current = undefined
  }

  #endProcess(time: TraceNs, pid: number, cpu: number): void {
    for (const thread of [...this.#threads.values()]) {
      if (thread.pid === pid) this.#endThread(time, thread.tid, cpu)
    }
    // The new image begins with the leader's thread alone.
    this.#bornIn.set(pid, asPid(pid))
  }
}
