import { setTimeout as pause } from 'node:timers/promises'
import type { Pid } from '../base/units.ts'
import type { Kernel, ProcessReport, StackReport } from '../bpf/kernel.ts'
import { processState, stopAllThreads, unlessGone, waitUntilAtRest } from '../target/process.ts'
import type { ProcessFollower } from './follow-processes.ts'
import type { TracedProcesses } from './traced-processes.ts'
import type { UnfollowedChildren } from './unfollowed-children.ts'
import type { ReturnUnhooker } from './unhook-returns.ts'

/** Where reports come from: the kernel. */
type ReportSource = Pick<Kernel, 'nextReport' | 'hasReport' | 'reportReady' | 'blockUntilReport'>

/** Who does what a report calls for. */
export interface ReportHandlers {
  readonly processes: Pick<TracedProcesses, 'get' | 'attach' | 'ended'>
  readonly follower: Pick<ProcessFollower, 'beginImage' | 'beginChild'>
  readonly unfollowed: Pick<UnfollowedChildren, 'leave'>
  readonly returns: Pick<ReturnUnhooker, 'unwinds' | 'caught' | 'heldUp' | 'probeExits'>
}

/** How long the reader looks out for where an exception is caught. */
const catchWaitMs = 0.1
/** So long after a thread has waited the next one is expected, and so long the reader does nothing else. */
const lookOutMs = 10
const oneLookMs = 1

function isStackReport(report: ProcessReport): report is StackReport {
  return report.kind === 'unwinds' || report.kind === 'caught'
}

/** Hears what becomes of traced processes, has done what that calls for, and continues what was stopped for it. */
export class ReportDesk {
  readonly #source: ReportSource
  readonly #handlers: ReportHandlers
  /** How often a process was stopped for a moment, by the reason. */
  readonly #stops = new Map<ProcessReport['kind'], number>()
  /** How often a thread waited on its CPU, and when the last one did. */
  #waits = 0
  #lastWaitMs = Number.NEGATIVE_INFINITY

  constructor(source: ReportSource, handlers: ReportHandlers) {
    this.#source = source
    this.#handlers = handlers
  }

  /** How often processes were stopped, and why: for people. */
  get stopsText(): string {
    const stops = [...this.#stops].map(([kind, count]) => `${count} ${kind}`).join(', ') || 'never'
    return this.#waits === 0 ? stops : `${stops}; threads waited ${this.#waits} times for their stacks`
  }

  /** Done when there is a report, or when tracing ends. */
  reportReady(): Promise<void> {
    return this.#source.reportReady()
  }

  /** Answers one report, and leaves it to the caller to continue the process. @returns it; undefined: there is none */
  answerNext(): ProcessReport | undefined {
    const report = this.#source.nextReport()
    // Nothing is hooked yet of whoever is traced.
    if (report !== undefined && !isStackReport(report)) this.#answer(report)
    return report
  }

  /**
   * Answers reports as they come: stopped processes are not left to wait for the next look at the events.
   * @param makeRoom reads the rings, so that whoever waits for room finds it
   * @param answered called when there were any
   */
  async answerUntil(isDone: () => boolean, makeRoom: () => void, answered: () => void): Promise<void> {
    while (!isDone()) {
      // Whoever looks out hears of it sooner, and a second one that is woken up would get in the way.
      if (this.expectsWait) {
        await pause(lookOutMs, undefined, { ref: false })
        continue
      }
      await this.reportReady()
      if (!this.#source.hasReport()) continue
      this.#answerAll(makeRoom)
      answered()
    }
  }

  /** Whether a thread may soon wait on its CPU, which takes its time: whoever reads events should do so in small batches. */
  get expectsWait(): boolean {
    return performance.now() - this.#lastWaitMs < lookOutMs
  }

  /** Looks out for a report: if there is nothing else to do for a moment, since to be woken up takes longer. */
  lookOut(makeRoom: () => void, isIdle: boolean): void {
    if (isIdle) this.#source.blockUntilReport(oneLookMs)
    if (this.#source.hasReport()) this.#answerAll(makeRoom)
  }

  /** Answers late reports: nobody is traced any more, and everybody goes on. */
  continueAll(): void {
    const { processes, unfollowed } = this.#handlers
    for (const report of this.#reports()) {
      const { pid, kind } = report
      if (kind === 'forked' || kind === 'left') unfollowed.leave(report.parent, pid)
      else if (kind !== 'ended') {
        unlessGone(pid, () => {
          if (kind === 'unwinds') processes.get(pid)?.restoreReturns(report.returns)
          waitUntilAtRest(pid)
          process.kill(pid, 'SIGCONT')
        })
      }
    }
  }

  #answerAll(makeRoom: () => void): void {
    const { processes, returns } = this.#handlers
    const stopped = new Set<Pid>()
    /** Not to be continued here: somebody else does, or the id may be another's by now. */
    const held = new Set<Pid>()
    const heldUp: StackReport[] = []
    let isFull = false
    let catchesSoon = false
    do {
      for (const report of this.#reports()) {
        const { pid } = report
        const goesOn = this.#answersAtOnce(report)
        catchesSoon = goesOn && report.kind === 'unwinds'
        if (goesOn) continue
        stopped.add(pid)
        if (report.kind === 'left' || report.kind === 'ended') held.add(pid)
        if (report.kind === 'full') isFull = true
        else if (isStackReport(report)) heldUp.push(report)
        else {
          unlessGone(pid, () => {
            this.#answer(report)
            const tracer = processes.get(pid)
            if (tracer?.isPlanned) processes.attach(tracer)
          })
        }
      }
      // Another thread may be about to report too: to continue the process now would take its stop away.
      for (const pid of stopped) {
        const tracer = processes.get(pid)
        if (tracer === undefined) waitUntilAtRest(pid)
        else if (!tracer.isShellJob && !held.has(pid)) stopAllThreads(pid)
      }
    } while (this.#source.hasReport() || (catchesSoon && this.#isReportedSoon()))
    if (isFull) makeRoom()
    for (const report of heldUp) returns.heldUp(report)
    for (const pid of stopped) {
      const tracer = processes.get(pid)
      if (tracer !== undefined) tracer.resume()
      else if (!held.has(pid)) continueStopped(pid)
    }
  }

  /** @returns whether nobody is stopped: the thread has waited on its CPU. Otherwise its process is, if it lives */
  #answersAtOnce(report: ProcessReport): boolean {
    if (!isStackReport(report)) return false
    const { returns } = this.#handlers
    const answer = () => (report.kind === 'unwinds' ? returns.unwinds(report) : returns.caught(report))
    const goesOn = unlessGone(report.pid, answer) ?? false
    this.#lastWaitMs = performance.now()
    if (goesOn) this.#waits++
    else this.#countStop(report.kind)
    return goesOn
  }

  /** Does what a report calls for. The process is stopped, unless it has ended: the caller resumes it. */
  #answer(report: Exclude<ProcessReport, StackReport>): void {
    const { pid, kind } = report
    const { processes, follower, unfollowed, returns } = this.#handlers
    if (kind !== 'ended') this.#countStop(kind)
    if (kind === 'started' || kind === 'exec') follower.beginImage(pid)
    else if (kind === 'loaded') processes.get(pid)?.loaded()
    else if (kind === 'forked') follower.beginChild(report.parent, pid)
    else if (kind === 'left') unfollowed.leave(report.parent, pid)
    else if (kind === 'deep') returns.probeExits([report.functionId])
    else processes.ended(pid)
  }

  #countStop(kind: ProcessReport['kind']): void {
    this.#stops.set(kind, (this.#stops.get(kind) ?? 0) + 1)
  }

  /** An exception that is thrown is caught within microseconds: to be woken up for that takes longer. */
  #isReportedSoon(): boolean {
    const giveUpAt = performance.now() + catchWaitMs
    while (performance.now() < giveUpAt) if (this.#source.hasReport()) return true
    return false
  }

  *#reports(): Iterable<ProcessReport> {
    for (;;) {
      const report = this.#source.nextReport()
      if (report === undefined) return
      yield report
    }
  }
}

/**
 * A process that is not traced any more may still run into a probe that is on its way out: in the dynamic linker, if it was
 * let go when it got a new image.
 */
function continueStopped(pid: Pid): void {
  if (processState(pid) === 'T') unlessGone(pid, () => process.kill(pid, 'SIGCONT'))
}
