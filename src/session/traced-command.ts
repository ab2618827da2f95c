import type { Pid } from '../base/units.ts'
import type { Kernel } from '../bpf/kernel.ts'
import { waitUntilAtRest } from '../target/process.ts'
import {
  type ExitReport,
  type StartedCommand,
  type StartOptions,
  startCommand,
  wrappedCommand,
} from '../target/start.ts'
import type { ReportDesk } from './answer-reports.ts'
import type { ProcessTracer } from './process-tracer.ts'
import type { TracedProcesses } from './traced-processes.ts'

/** A command that utrace has started, to be traced from its first instruction on. */
export class TracedCommand {
  readonly pid: Pid
  /** How it ended; undefined while it runs. */
  exit: ExitReport | undefined
  readonly ended: Promise<void>

  private constructor({ pid, ended }: StartedCommand) {
    this.pid = pid
    this.ended = ended.then((exit) => {
      this.exit = exit
    })
  }

  /** It will be stopped, and reported, before its first instruction. */
  static async start(kernel: Kernel, target: StartOptions): Promise<TracedCommand> {
    kernel.armStart(wrappedCommand(target).wrappers + 1)
    return new TracedCommand(await startCommand(target))
  }

  get hasEnded(): boolean {
    return this.exit !== undefined
  }

  /**
   * Answers reports until the command is planned, and stopped.
   * @returns undefined if it ended before its first instruction: a wrapper could not execute it
   */
  async untilPlanned(desk: ReportDesk, processes: TracedProcesses): Promise<ProcessTracer | undefined> {
    for (;;) {
      const over = this.hasEnded
      const report = desk.answerNext()
      if (report !== undefined) {
        const tracer = processes.get(this.pid)
        if (tracer?.isPlanned) return tracer
        // The end of another process (what calibrates) must not take a stop of this one away.
        if (report.pid !== this.pid) continue
        waitUntilAtRest(this.pid)
        tracer?.resume()
      } else if (over) return undefined
      else await Promise.race([desk.reportReady(), this.ended])
    }
  }

  /** It has not run yet, and never will. */
  kill(): void {
    if (!this.hasEnded) process.kill(this.pid, 'SIGKILL')
  }
}
