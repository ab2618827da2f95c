import { type EventConsumer, type EventKind, eventKind, isCallEvent } from '../base/event.ts'
import type { TraceNs } from '../base/units.ts'
import type { Call, TracedThread, TraceSink } from '../trace/call.ts'
import type { ProbeCosts } from '../trace/probe-costs.ts'
import { describeThread, isSameThread, Reconstruction, type TraceStatistics } from '../trace/reconstruct.ts'
import { noTotals, type ThreadTotals } from '../trace/stacks.ts'
import { ThreadTable } from '../trace/thread-table.ts'
import type { RecordedTrace } from './recorder.ts'

/** Which calls a recording is to hold. */
export interface RecordedCalls {
  /** Levels, from 1; undefined: all. */
  readonly maxDepth: number | undefined
  /** Calls that took less are left out; 0: none. */
  readonly minNs: number
  /** Empty: all. */
  readonly tids: ReadonlySet<number>
}

interface EntryEvent {
  readonly time: TraceNs
  readonly stack: number
  readonly tid: number
  readonly functionId: number
  readonly cpu: number
  /** What was said of the thread's next call. */
  readonly announcements: readonly Announcement[]
  before: Before
}

/** What a thread had come to, and how long what its innermost call had called took, when something happened. */
interface Before {
  readonly totals: ThreadTotals
  readonly childrenNs: number
}

const nothingBefore: Before = { totals: noTotals, childrenNs: 0 }

interface Announcement {
  readonly time: TraceNs
  readonly kind: EventKind
}

const nothingAnnounced: readonly Announcement[] = []

/**
 * Passes the events on from which the calls of a selection can be rebuilt, and few others: what is left out has nothing
 * below it that is not. Where the probes of what is left out have cost a thread something, an event says so. A call is held back until it has taken long enough. Where one that is too short makes it known
 * that others have ended it passes too, and so do those that are open at a loss, a fork and the like: a reader of the recording must
 * filter by time once more.
 */
export class EventFilter implements EventConsumer {
  readonly #calls: RecordedCalls
  readonly #engine: Reconstruction
  /** What a reader of the recording will know. */
  readonly #known: Reconstruction
  readonly #out: EventConsumer
  readonly #threads: ThreadTable<HeldEntries>
  readonly #announcements = new Map<number, readonly Announcement[]>()
  /** That is being looked at; undefined unless it is an entry. */
  #entry: EntryEvent | undefined
  #begun: { readonly thread: TracedThread; readonly depth: number } | undefined
  /** It has ended calls that were passed on. */
  #endsPassed = false
  /** How long the calls took that the innermost of them had made. */
  #childrenNs = 0

  /**
   * @param probeCosts what a reader of the recording will take off durations
   * @param record makes what takes the events that are passed
   */
  constructor(
    calls: RecordedCalls,
    trace: RecordedTrace,
    probeCosts: ProbeCosts | undefined,
    record: (trace: RecordedTrace) => EventConsumer,
  ) {
    const { functions, pidOf } = trace
    this.#calls = calls
    this.#engine = new Reconstruction(functions, this.#sink(), pidOf, { probeCosts })
    this.#known = new Reconstruction(functions, nobody, pidOf, { probeCosts })
    this.#threads = new ThreadTable(
      (thread) => new HeldEntries(thread.tid, (entry) => this.#passEntry(entry)),
      (held) => held.open === 0,
    )
    const describeState = (consumer: EventConsumer) => this.#known.describeState(consumer)
    this.#out = record({ functions, pidOf, describeState })
  }

  /** Of what was passed. */
  get statistics(): TraceStatistics {
    return this.#known.statistics
  }

  event(time: TraceNs, stack: number, tid: number, kind: EventKind, functionId: number, cpu: number): void {
    if (this.#isOfOtherThread(tid, kind)) return
    if (announcesCall(kind)) {
      this.#engine.event(time, stack, tid, kind, functionId, cpu)
      const earlier = (this.#announcements.get(tid) ?? []).filter((it) => it.kind !== kind)
      this.#announcements.set(tid, [...earlier, { time, kind }])
      return
    }
    if (changesMeaning(kind)) for (const held of this.#threads.all()) held.passAll()
    const ending = endingThreads(kind, tid, stack)
    if (ending !== 'none') {
      this.tick(time)
      this.#tellOfAll(ending)
    }
    const totals = this.#engine.totalsOf(tid)
    this.#endsPassed = false
    this.#childrenNs = 0
    this.#begun = undefined
    this.#entry = undefined
    if (kind === eventKind.entry) {
      const announcements = this.#announcements.get(tid) ?? nothingAnnounced
      this.#entry = { time, stack, tid, functionId, cpu, announcements, before: nothingBefore }
      this.#announcements.delete(tid)
    }
    this.#engine.event(time, stack, tid, kind, functionId, cpu)
    if (this.#begun !== undefined) return
    if (this.#endsPassed && isOfCall(kind)) this.#tell(tid, { totals, childrenNs: this.#childrenNs })
    if (this.#endsPassed || !isOfCall(kind)) this.#pass(time, stack, tid, kind, functionId, cpu)
  }

  /** Passes what is still open and has taken long enough. Every event up to `seenUntil` was seen. */
  tick(seenUntil: TraceNs): void {
    for (const held of this.#threads.all()) held.passOlder(seenUntil - this.#calls.minNs)
  }

  /** To be called before the recording ends. */
  finish(endNs: TraceNs): void {
    this.tick(endNs)
    this.#tellOfAll('all')
    this.#known.finish(endNs)
  }

  #sink(): TraceSink {
    return {
      begin: (call) => this.#begin(call),
      end: (call) => this.#end(call),
      lost: () => {},
      note: () => {},
    }
  }

  #isShown = ({ depth }: Call) => this.#calls.maxDepth === undefined || depth < this.#calls.maxDepth

  #begin(call: Call): void {
    if (!this.#isShown(call)) return
    const held = this.#threads.of(call.thread)
    if (call.isInherited || this.#entry === undefined) {
      // The fork, which is passed, says so.
      held.pushPassed()
      return
    }
    this.#begun = { thread: call.thread, depth: call.depth }
    this.#entry.before = {
      totals: this.#engine.totalsBefore(call),
      childrenNs: this.#endsPassed
        ? this.#childrenNs
        : this.#engine.childrenNsOf(call.thread.tid, call.depth - 1),
    }
    held.push(this.#entry)
    if (this.#endsPassed) held.passAll()
    else held.passOlder(call.beginNs - this.#calls.minNs)
  }

  #end(call: Call): void {
    if (!this.#isShown(call)) return
    const held = this.#threads.of(call.thread)
    held.passOlder(call.endNs - this.#calls.minNs)
    const wasPassed = held.pop()
    const isOwn = this.#begun?.thread === call.thread && this.#begun.depth === call.depth
    // A call that is over at once needs no other event than its entry.
    if (!wasPassed || isOwn) return
    if (!this.#endsPassed) this.#childrenNs = this.#engine.childrenNsOf(call.thread.tid, call.depth)
    this.#endsPassed = true
  }

  #isOfOtherThread(tid: number, kind: EventKind): boolean {
    const { tids } = this.#calls
    return tids.size > 0 && !tids.has(tid) && (isOfCall(kind) || announcesCall(kind))
  }

  #passEntry({ time, stack, tid, functionId, cpu, announcements, before }: EntryEvent): void {
    this.#tell(tid, before)
    for (const announced of announcements) this.#pass(announced.time, 0, tid, announced.kind, 0, cpu)
    this.#pass(time, stack, tid, eventKind.entry, functionId, cpu)
  }

  /** Of every thread, or of one, of which a call is open that was passed on. */
  #tellOfAll(which: 'all' | number): void {
    for (const { tid, passed } of this.#threads.all()) {
      if (passed === 0 || (which !== 'all' && which !== tid)) continue
      const totals = this.#engine.totalsOf(tid)
      this.#tell(tid, { totals, childrenNs: this.#engine.childrenNsOf(tid, passed - 1) })
    }
  }

  /** Says what a thread has come to, unless what was passed on tells it. */
  #tell(tid: number, { totals, childrenNs }: Before): void {
    const known = this.#known.totalsOf(tid)
    if (isSameThread(known, totals)) return
    const consumer: EventConsumer = { event: (...event) => this.#pass(...event) }
    describeThread(consumer, tid, totals, childrenNs, known)
  }

  #pass(time: TraceNs, stack: number, tid: number, kind: EventKind, functionId: number, cpu: number): void {
    this.#out.event(time, stack, tid, kind, functionId, cpu)
    this.#known.event(time, stack, tid, kind, functionId, cpu)
  }
}

/** Whether such an event matters only for the calls that it begins or ends. */
function isOfCall(kind: EventKind): boolean {
  return isCallEvent(kind) || kind === eventKind.unwound || kind === eventKind.over
}

/** Whether it says something of the thread's next call. */
function announcesCall(kind: EventKind): boolean {
  return kind === eventKind.signal || kind === eventKind.drawn
}

/** Whether it matters for a call on which side of such an event it began. */
function changesMeaning(kind: EventKind): boolean {
  return (
    kind === eventKind.lost ||
    kind === eventKind.fork ||
    kind === eventKind.exitsProbed ||
    kind === eventKind.stacksSwitch
  )
}

/** The thread whose calls an event may cut, of which nothing else tells: an id may be used again by a child. */
function endingThreads(kind: EventKind, tid: number, stack: number): number | 'all' | 'none' {
  if (kind === eventKind.threadExit) return tid
  if (kind === eventKind.fork) return stack
  return kind === eventKind.exec ? 'all' : 'none'
}

const nobody: TraceSink = { begin: () => {}, end: () => {}, lost: () => {}, note: () => {} }

/** The open calls of one stack: the outermost `#passed` of them were passed on, the others are held back. */
class HeldEntries {
  readonly tid: number
  readonly #pass: (entry: EntryEvent) => void
  readonly #entries: (EntryEvent | undefined)[] = []
  #passed = 0

  constructor(tid: number, pass: (entry: EntryEvent) => void) {
    this.tid = tid
    this.#pass = pass
  }

  get passed(): number {
    return this.#passed
  }

  get open(): number {
    return this.#entries.length
  }

  push(entry: EntryEvent): void {
    this.#entries.push(entry)
  }

  pushPassed(): void {
    this.#passed = this.#entries.push(undefined)
  }

  /** @returns whether the innermost call, which has ended, was passed on */
  pop(): boolean {
    const wasPassed = this.#passed === this.#entries.length
    this.#entries.pop()
    if (wasPassed) this.#passed = this.#entries.length
    return wasPassed
  }

  passAll(): void {
    this.passOlder(Number.POSITIVE_INFINITY)
  }

  /** Passes the calls that began at a time or before. */
  passOlder(time: number): void {
    while (this.#passed < this.#entries.length) {
      const entry = this.#entries[this.#passed]
      if (entry !== undefined) {
        if (entry.time > time) return
        this.#entries[this.#passed] = undefined
        this.#pass(entry)
      }
      this.#passed++
    }
  }
}
