import type { Pid } from '../base/units.ts'
import type { Kernel, ProcessReport } from '../bpf/kernel.ts'
import { processState, unlessGone, waitUntilAtRest } from '../target/process.ts'
import type { ProcessFollower } from './follow-processes.ts'
import type { TracedProcesses } from './traced-processes.ts'
import type { UnfollowedChildren } from './unfollowed-children.ts'
import type { ReturnUnhooker } from './unhook-returns.ts'

/** Where reports come from: the kernel. */
type ReportSource = Pick<Kernel, 'nextReport' | 'hasReport' | 'reportReady'>

/** Who does what a report calls for. */
export interface ReportHandlers {
  readonly processes: Pick<TracedProcesses, 'get' | 'attach' | 'ended'>
  readonly follower: Pick<ProcessFollower, 'beginImage' | 'beginChild'>
  readonly unfollowed: Pick<UnfollowedChildren, 'leave'>
  readonly returns: Pick<ReturnUnhooker, 'restore' | 'probeExits'>
}

/** Hears what becomes of traced processes, has done what that calls for, and continues what was stopped for it. */
export class ReportDesk {
  readonly #source: ReportSource
  readonly #handlers: ReportHandlers
  /** How often a process was stopped for a moment, by the reason. */
  readonly #stops = new Map<ProcessReport['kind'], number>()

  constructor(source: ReportSource, handlers: ReportHandlers) {
    this.#source = source
    this.#handlers = handlers
  }

  /** How often processes were stopped, and why: for people. */
  get stopsText(): string {
    return [...this.#stops].map(([kind, count]) => `${count} ${kind}`).join(', ') || 'never'
  }

  /** Done when there is a report, or when tracing ends. */
  reportReady(): Promise<void> {
    return this.#source.reportReady()
  }

  /** Answers one report, and leaves it to the caller to continue the process. @returns it; undefined: there is none */
  answerNext(): ProcessReport | undefined {
    const report = this.#source.nextReport()
    if (report !== undefined) this.#answer(report)
    return report
  }

  /**
   * Answers reports as they come: stopped processes are not left to wait for the next look at the events.
   * @param makeRoom reads the rings, so that whoever waits for room finds it
   * @param answered called when there were any
   */
  async answerUntil(isDone: () => boolean, makeRoom: () => void, answered: () => void): Promise<void> {
    while (!isDone()) {
      await this.reportReady()
      if (!this.#source.hasReport()) continue
      this.#answerAll(makeRoom)
      answered()
    }
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
    const { processes } = this.#handlers
    const stopped = new Set<Pid>()
    /** Not to be continued here: somebody else does, or the id may be another's by now. */
    const held = new Set<Pid>()
    let isFull = false
    do {
      for (const report of this.#reports()) {
        const { pid } = report
        stopped.add(pid)
        if (report.kind === 'left' || report.kind === 'ended') held.add(pid)
        if (report.kind === 'full') {
          isFull = true
          continue
        }
        unlessGone(pid, () => {
          this.#answer(report)
          const tracer = processes.get(pid)
          if (tracer?.isPlanned) processes.attach(tracer)
        })
      }
      // Another thread may be about to report too: to continue the process now would take its stop away.
      for (const pid of stopped) if (!processes.get(pid)?.isShellJob) waitUntilAtRest(pid)
    } while (this.#source.hasReport())
    if (isFull) makeRoom()
    for (const pid of stopped) {
      const tracer = processes.get(pid)
      if (tracer !== undefined) tracer.resume()
      else if (!held.has(pid)) continueStopped(pid)
    }
  }

  /** Does what a report calls for. The process is stopped, unless it has ended: the caller resumes it. */
  #answer(report: ProcessReport): void {
    const { pid, kind } = report
    const { processes, follower, unfollowed, returns } = this.#handlers
    if (kind !== 'ended') this.#stops.set(kind, (this.#stops.get(kind) ?? 0) + 1)
    if (kind === 'started' || kind === 'exec') follower.beginImage(pid)
    else if (kind === 'loaded') processes.get(pid)?.loaded()
    else if (kind === 'forked') follower.beginChild(report.parent, pid)
    else if (kind === 'left') unfollowed.leave(report.parent, pid)
    else if (kind === 'unwinds') returns.restore(pid, report.returns)
    else if (kind === 'deep') returns.probeExits([report.functionId])
    else processes.ended(pid)
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
