import { UserError } from '../base/errors.ts'
import { type EventConsumer, eventKind } from '../base/event.ts'
import { asTraceNs, type Pid, type TraceNs } from '../base/units.ts'
import { Kernel, permissionError, type Stop } from '../bpf/kernel.ts'
import { type BpfLink, detachAll } from '../bpf/link.ts'
import type { Untraced } from '../probe/plan.ts'
import type { RecordedTrace } from '../recording/recorder.ts'
import { isPermissionProblem } from '../sys/libc.ts'
import { checkPidNamespace, checkProcess } from '../target/attach.ts'
import { processStartTicks, processState } from '../target/process.ts'
import { type ExitReport, type StartOptions, startCommand, wrappedCommand } from '../target/start.ts'
import type { TraceSink } from '../trace/call.ts'
import type { TraceClock } from '../trace/clock.ts'
import { Reconstruction, type TraceStatistics } from '../trace/reconstruct.ts'
import { FunctionIds } from './function-ids.ts'
import type { PlannedModule, PlanOptions } from './plan-process.ts'
import { nextStop, ProcessTracer } from './process-tracer.ts'
import { pumpEvents } from './pump.ts'
import type { Selection } from './selection.ts'

export type SessionTarget =
  | ({ readonly kind: 'command' } & StartOptions)
  | { readonly kind: 'process'; readonly pid: Pid }

/** Where the trace goes: a sink that may hold output back until it is told that time has passed. */
export interface SessionSink extends TraceSink {
  tick(now: ReturnType<typeof asTraceNs>): void
  flush(): void
}

export interface SessionOptions extends PlanOptions {
  readonly target: SessionTarget
  readonly selection: Selection
  /** Bytes of each CPU's ring buffer; undefined: by the number of CPUs. */
  readonly bufferBytes: number | undefined
  /** Told what has just been done: for people who want to know where start-up time goes. */
  readonly log: (done: string) => void
}

export interface TraceResult {
  readonly statistics: TraceStatistics
  readonly functionsTraced: number
  readonly untraced: readonly Untraced[]
  /** How the command ended; undefined while it, or the process attached to, runs on. */
  readonly exit: ExitReport | undefined
  readonly endNs: TraceNs
}

/** Makes what takes every event before its call is rebuilt: a recorder. */
export type EventTap = (trace: RecordedTrace) => EventConsumer

/** How long a command may take to end after an interrupt that it got as well. */
const interruptGraceMs = 1_000
const livenessIntervalMs = 100

/**
 * One trace: from starting or attaching to the target to having its last event. The one place that ties target, plan,
 * kernel and reconstruction together.
 */
export class TraceSession {
  readonly clock: TraceClock
  readonly #options: SessionOptions
  readonly #kernel: Kernel
  readonly #ids = new FunctionIds()
  readonly #tracepoints: BpfLink[]
  #tracer: ProcessTracer | undefined
  #exit: ExitReport | undefined
  #ended = false
  #stopRequested = false

  /** Sets the kernel side up. @throws UserError with the reason and the fix */
  constructor(options: SessionOptions) {
    this.clock = { baseNs: process.hrtime.bigint() }
    this.#options = options
    checkPidNamespace()
    if (options.target.kind === 'process') checkProcess(options.target.pid)
    try {
      this.#kernel = new Kernel(this.clock.baseNs, options.bufferBytes)
      this.#tracepoints = this.#kernel.attachTracepoints()
      options.log(`kernel side loaded, ${this.#kernel.ringBytes >> 10} KB of ring buffer per CPU`)
    } catch (error) {
      throw isPermissionProblem(error) ? permissionError(error) : error
    }
  }

  /** Starts or attaches, and plans: the target waits (a command) or runs on (a process) until `trace` or `abandon`. */
  async prepare(): Promise<{ planned: readonly PlannedModule[]; untraced: readonly Untraced[] }> {
    const { target } = this.#options
    const tracer = target.kind === 'command' ? await this.#start(target) : this.#tracerOf(target.pid)
    this.#tracer = tracer
    await this.#kernel.ready
    this.#options.log('target started')
    if (tracer === undefined) return { planned: [], untraced: [] }
    const modules =
      target.kind === 'command' ? await tracer.runToLoaded(() => this.#expectStop()) : tracer.modules()
    this.#options.log(`modules known: ${modules.libraries.length + 1}`)
    tracer.plan(modules)
    this.#options.log(`planned: ${tracer.planned.reduce((sum, { plan }) => sum + plan.functions.length, 0)} functions`)
    return tracer
  }

  /**
   * Traces until the target has ended, or until `stop`.
   * @param tap what is to see every event as the kernel reported it
   */
  async trace(sink: SessionSink, tap?: EventTap): Promise<TraceResult> {
    const tracer = this.#tracer
    const functions = this.#ids.table
    const pidOf = () => tracer?.pid ?? 0
    const engine = new Reconstruction(functions, sink, pidOf)
    const describeState = (consumer: EventConsumer) => engine.describeState(consumer)
    const events = tap === undefined ? engine : both(tap({ functions, pidOf, describeState }), engine)
    if (tracer !== undefined) {
      tracer.attach()
      this.#options.log(`attached: ${tracer.tracedFunctions} functions`)
      if (this.#options.target.kind === 'command') tracer.resume()
      else this.#watchProcess(tracer.pid)
      await this.#pump(events, sink)
      this.#options.log('tracing done')
      await Promise.all([detachAll(this.#tracepoints), tracer.detach()])
      this.#options.log('detached')
      while (this.#kernel.drain(events) > 0);
    }
    const now = this.#now()
    for (const { cpu, count } of this.#kernel.unreportedLosses()) {
      events.event(now, count, 0, eventKind.lost, 0, cpu)
    }
    engine.finish(now)
    return {
      statistics: engine.statistics,
      functionsTraced: tracer?.tracedFunctions ?? 0,
      untraced: tracer?.untraced ?? [],
      exit: this.#exit,
      endNs: now,
    }
  }

  /** Ends tracing soon and leaves the target running. */
  stop(): void {
    this.#stopRequested = true
  }

  /** The user's interrupt: a command gets it as well, and a moment to end by itself. */
  interrupt(): void {
    if (this.#options.target.kind === 'process') this.stop()
    else setTimeout(() => this.stop(), interruptGraceMs).unref()
  }

  /** Nothing will be traced: a command that has not run yet never will, a process is left alone. */
  async abandon(): Promise<void> {
    if (this.#options.target.kind === 'command' && this.#tracer !== undefined && !this.#ended) {
      process.kill(this.#tracer.pid, 'SIGKILL')
    }
    await this.#tracer?.detach()
    await detachAll(this.#tracepoints)
  }

  #tracerOf(pid: Pid): ProcessTracer {
    return new ProcessTracer(pid, this.#kernel, this.#options.selection, this.#options, this.#ids)
  }

  /** @returns undefined if the command ended before its first instruction: a wrapper could not execute it */
  async #start(target: StartOptions): Promise<ProcessTracer | undefined> {
    this.#kernel.armStart(wrappedCommand(target).wrappers + 1)
    const command = await startCommand(target)
    void command.ended.then((exit) => {
      this.#exit = exit
      this.#ended = true
    })
    const stop = await nextStop(this.#kernel, () => this.#ended)
    return stop && this.#tracerOf(command.pid)
  }

  async #expectStop(): Promise<Stop> {
    const stop = await nextStop(this.#kernel, () => this.#ended)
    if (stop === undefined) throw new UserError('the program ended before it was loaded')
    return stop
  }

  async #pump(consumer: EventConsumer, sink: SessionSink): Promise<void> {
    await pumpEvents(this.#kernel, consumer, {
      turn: () => this.#answerStops(),
      flush: () => {
        sink.tick(this.#now())
        sink.flush()
      },
      done: () => this.#ended || this.#stopRequested,
    })
  }

  /** A process that loaded a library waits until the library is planned and attached. */
  #answerStops(): void {
    const tracer = this.#tracer!
    for (let stop = this.#kernel.nextStop(); stop !== undefined; stop = this.#kernel.nextStop()) {
      try {
        const modules = tracer.modules()
        if (modules.complete) tracer.plan(modules)
        tracer.attach()
      } finally {
        tracer.resume()
      }
    }
  }

  /** A process that is not our child: its end is noticed by looking. */
  #watchProcess(pid: Pid): void {
    const startTicks = processStartTicks(pid)
    const timer = setInterval(() => {
      if (processStartTicks(pid) === startTicks && processState(pid) !== 'Z') return
      this.#ended = true
      clearInterval(timer)
    }, livenessIntervalMs)
    timer.unref()
  }

  #now() {
    return asTraceNs(Number(process.hrtime.bigint() - this.clock.baseNs))
  }
}

function both(first: EventConsumer, second: EventConsumer): EventConsumer {
  return {
    event: (time, stack, tid, kind, functionId, cpu) => {
      first.event(time, stack, tid, kind, functionId, cpu)
      second.event(time, stack, tid, kind, functionId, cpu)
    },
  }
}
