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
  readonly #threads = new Map<number, Thread>()
  #current: Thread | undefined
  #losses = 0
  readonly statistics: TraceStatistics = { calls: 0, threads: 0, lostEvents: 0, openCalls: 0 }

  /** @param pidOf the process of a thread that is seen for the first time */
  constructor(functions: FunctionTable, sink: TraceSink, pidOf: (tid: number) => number) {
    this.#functions = functions
    this.#sink = sink
    this.#pidOf = pidOf
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
        this.#endProcess(time, tid, cpu)
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
      thread = new Thread(asTid(tid), asPid(this.#pidOf(tid)))
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
    frame.hooked = record.wayOut === 'return' && thread.pendingReturns < pendingReturnsLimit
    frame.returnExpected = frame.hooked || record.wayOut === 'ret'
    frame.losses = this.#losses
    if (frame.hooked) thread.pendingReturns++
    thread.open = depth + 1
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
    if (thread === undefined) return
    this.statistics.openCalls += thread.open
    while (thread.open > 0) this.#end(thread, time, cpu, 'cut')
    this.#threads.delete(tid)
    if (this.#current === thread) this.#current = undefined
  }

  #endProcess(time: TraceNs, tid: number, cpu: number): void {
    // Exec turns the thread that calls it into the leader, which has exited a moment ago.
    const pid = this.#threads.get(tid)?.pid ?? this.#pidOf(tid)
    for (const thread of [...this.#threads.values()])
      if (thread.pid === pid) this.#endThread(time, thread.tid, cpu)
  }
}
