import { type EventConsumer, eventKind } from '../base/event.ts'
import type { Pid, Tid, TraceNs } from '../base/units.ts'
import { Kernel, permissionError } from '../bpf/kernel.ts'
import { type BpfLink, detachAll } from '../bpf/link.ts'
import type { Untraced } from '../probe/plan.ts'
import { isPermissionProblem } from '../sys/libc.ts'
import { checkPidNamespace, checkProcess } from '../target/attach.ts'
import { processOfThread, unlessGone } from '../target/process.ts'
import type { ExitReport } from '../target/start.ts'
import type { TraceClock } from '../trace/clock.ts'
import type { ProbeCosts } from '../trace/probe-costs.ts'
import { Reconstruction, type TraceStatistics } from '../trace/reconstruct.ts'
import { ReportDesk } from './answer-reports.ts'
import { joinProcess, watchForEnd } from './attached-process.ts'
import { BudgetKeeper } from './budget-keeper.ts'
import { type DroppedFunction, FunctionDropper } from './drop-functions.ts'
import { endTracing } from './end-tracing.ts'
import { both, withCallLimit } from './event-consumers.ts'
import { FaultedEntries } from './faulted-entries.ts'
import { ProcessFollower } from './follow-processes.ts'
import { FunctionIds } from './function-ids.ts'
import { Guard } from './guard.ts'
import { HeldCalls } from './held-calls.ts'
import { HiddenCosts } from './hidden-costs.ts'
import { KernelSums, type SumsOfFunction } from './kernel-sums.ts'
import { CostMeasurement, exitSurchargeNs, hitCosts } from './measure-costs.ts'
import { ModuleReader } from './modules.ts'
import type { PlannedModule } from './plan-process.ts'
import type { ProcessTracer, TracerContext } from './process-tracer.ts'
import { Pause, pumpEvents } from './pump.ts'
import { checkSwitches } from './selection.ts'
import type { EventTap, SessionOptions, SessionSink } from './session-options.ts'
import { Timeline } from './timeline.ts'
import { TracedCommand } from './traced-command.ts'
import { TracedProcesses } from './traced-processes.ts'
import { UnfollowedChildren } from './unfollowed-children.ts'
import { ReturnUnhooker } from './unhook-returns.ts'
import { UnwindingCosts } from './unwinding-costs.ts'

export interface TraceResult {
  readonly dropped: readonly DroppedFunction[]
  readonly statistics: TraceStatistics
  readonly functionsTraced: number
  readonly untraced: readonly Untraced[]
  /** How the command ended; undefined while it, or the process attached to, runs on. */
  readonly exit: ExitReport | undefined
  readonly endNs: TraceNs
  /** How long threads were held up so that no event was lost, all together. */
  readonly waitedNs: number
}

/** How long a command may take to end after an interrupt that it got as well. */
const interruptGraceMs = 1_000

/**
 * One trace: from starting or attaching to the target to having its last event. The one place that ties target, plan,
 * kernel and reconstruction together; what happens meanwhile is in the files that it imports from its folder.
 */
export class TraceSession {
  readonly #options: SessionOptions
  readonly #timeline = new Timeline()
  readonly #ids = new FunctionIds()
  readonly #sums = new KernelSums(this.#ids.table)
  readonly #kernel: Kernel
  readonly #guard: Guard
  readonly #tracepoints: BpfLink[]
  readonly #processes: TracedProcesses
  readonly #context: TracerContext
  readonly #returns: ReturnUnhooker
  readonly #unfollowed: UnfollowedChildren
  readonly #desk: ReportDesk
  readonly #dropper: FunctionDropper
  readonly #budget: BudgetKeeper
  #measurement: CostMeasurement | undefined
  #command: TracedCommand | undefined
  #lookForEnd = () => {}
  /** Of whoever reads the events. */
  readonly #pause = new Pause()
  #stopRequested = false

  /** Sets the kernel side up. @throws UserError with the reason and the fix */
  constructor(options: SessionOptions) {
    this.#options = options
    checkPidNamespace()
    if (options.target.kind === 'process') checkProcess(options.target.pid)
    try {
      const { bufferBytes, lossless, threads, sampleInterval, depthLimit, durationMinNs } = options
      const kernelOptions = { lossless, threads, sampleInterval, depthLimit, durationMinNs }
      this.#kernel = new Kernel(this.clock.baseNs, bufferBytes, kernelOptions)
      this.#guard = new Guard(this.#kernel)
      this.#tracepoints = this.#kernel.attachTracepoints()
      if (options.cpuTime) this.#tracepoints.push(...this.#kernel.attachSwitches())
      options.log(`kernel side loaded, ${this.#kernel.ringBytes >> 10} KB of ring buffer per CPU`)
    } catch (error) {
      throw isPermissionProblem(error) ? permissionError(error) : error
    }
    const { selection, followForks } = options
    this.#context = {
      kernel: this.#kernel,
      selection,
      options,
      ids: this.#ids,
      reader: new ModuleReader(),
      followForks,
      describedFor: describedFor(options),
      note: (text) => this.#timeline.note(text),
    }
    // On several stacks the kernel does not know how deep a call is, nor whether it is over.
    const processes = new TracedProcesses(this.#guard, this.#timeline, () => this.#kernel.liftLimits())
    this.#processes = processes
    this.#returns = new ReturnUnhooker(this.#kernel, this.#ids, processes, this.#timeline, {
      costs: new UnwindingCosts({
        callsOf: (id) =>
          options.sumUp === undefined ? this.#dropper.callCounts.of(id) : this.#sums.callsOf(id),
        surchargeNs: () => exitSurchargeNs(this.probeCosts),
      }),
      // Its parent is utrace.
      mayStop: (pid) => pid === this.#command?.pid,
      isStopTold: options.lossless,
    })
    this.#unfollowed = new UnfollowedChildren(this.#guard, processes, this.#returns)
    this.#desk = new ReportDesk(this.#kernel, {
      processes,
      follower: new ProcessFollower(this.#context, processes),
      unfollowed: this.#unfollowed,
      returns: this.#returns,
    })
    this.#dropper = new FunctionDropper(this.#kernel, this.#ids, processes, this.#timeline)
    this.#budget = new BudgetKeeper(options.budget, {
      planOf: (id) => processes.planOf(id),
      drop: (functions, share) => this.#dropper.drop(functions, share),
      warn: () =>
        options.warn(
          'the program runs more than ten times slower, so much is called: choose with -f, sum up with utrace stat, or give --budget 5%',
        ),
    })
  }

  get clock(): TraceClock {
    return this.#timeline.clock
  }

  /** What probes cost; undefined where that was not measured. Known when tracing begins. */
  get probeCosts(): ProbeCosts | undefined {
    return this.#measurement?.costs
  }

  /** What `sumUp` has come to so far, by function. */
  sums(): SumsOfFunction[] {
    return this.#sums.read()
  }

  /** Starts or attaches, and plans: the target waits (a command) or runs on (a process) until `trace` or `abandon`. */
  async prepare(): Promise<{ planned: readonly PlannedModule[]; untraced: readonly Untraced[] }> {
    const { log, selection, compensate } = this.#options
    if (compensate) this.#measurement = new CostMeasurement(this.#kernel, log)
    const tracer = await this.#planTarget()
    if (tracer === undefined) return { planned: [], untraced: [] }
    checkSwitches(selection, new Set(tracer.switches().map(({ what }) => what)))
    log(`planned: ${tracer.planned.reduce((sum, { plan }) => sum + plan.functions.length, 0)} functions`)
    return { planned: tracer.planned, untraced: [...tracer.untraced.values()] }
  }

  /**
   * Traces until the target has ended, or until `stop`.
   * @param tap what is to see every event as the kernel reported it
   */
  async trace(sink: SessionSink, tap?: EventTap): Promise<TraceResult> {
    const { selection, log } = this.#options
    await this.#measurement?.finish()
    // Not before: what is calibrated must not be silent.
    if (selection.switches.has('starts')) this.#kernel.pause()
    const engine = new Reconstruction(this.#ids.table, sink, (tid) => this.#pidOf(tid), {
      observer: { manyReturnsPending: (ids) => this.#returns.relieveStack(ids) },
      probeCosts: this.probeCosts,
    })
    const events = this.#consumers(engine, tap)
    const faultedEntries = new FaultedEntries(events, (pid, address, returnsIntoProgram) =>
      this.#processes.functionBegunAt(pid, address, returnsIntoProgram),
    )
    const { fromKernel, look, untoldNsOf } = this.#withLimits(faultedEntries)
    await this.#begin(events, sink)
    await this.#pump(fromKernel, () => {
      // A thread that has just reported is held up: how long its calls take will be known when it goes on.
      if (!this.#kernel.hasReport()) {
        sink.tick(look(), (tid) => engine.totalsOf(tid).overheadNs + untoldNsOf(tid))
      }
      sink.flush()
    })
    // From now on hooked returns are taken back: how calls end that are open may not be seen.
    const closingNs = this.#timeline.now()
    log(`tracing done; the target was stopped for a moment ${this.#desk.stopsText}`)
    await endTracing(
      {
        kernel: this.#kernel,
        returns: this.#returns,
        desk: this.#desk,
        unfollowed: this.#unfollowed,
        drain: (consumer, most) => this.#drain(consumer, most),
        detach: () => this.#detach(),
      },
      fromKernel,
    )
    this.#guard.dismiss()
    log('detached')
    while (this.#drain(fromKernel) > 0);
    this.#timeline.tellWaits(fromKernel, this.#timeline.now())
    look(true)
    const now = this.#timeline.now()
    for (const { cpu, count } of this.#kernel.unreportedLosses()) {
      events.event(now, count, 0, eventKind.lost, 0, cpu)
    }
    engine.finish(closingNs)
    return {
      statistics: { ...engine.statistics, calls: engine.statistics.calls + this.#kernel.leftOutCalls },
      functionsTraced: this.#processes.functions.size,
      untraced: this.#processes.untraced,
      exit: this.#command?.exit,
      endNs: closingNs,
      waitedNs: engine.waitedNs,
      dropped: this.#dropper.dropped,
    }
  }

  /** Ends tracing soon and leaves the target running. */
  stop(): void {
    this.#stopRequested = true
    this.#pause.end()
  }

  /** The user's interrupt: a command gets it as well, and a moment to end by itself. */
  interrupt(): void {
    if (this.#options.target.kind === 'process') this.stop()
    else setTimeout(() => this.stop(), interruptGraceMs).unref()
  }

  /** Nothing will be traced: a command that has not run yet never will, a process is left alone. */
  async abandon(): Promise<void> {
    this.#command?.kill()
    await this.#detach()
    this.#guard.dismiss()
  }

  /** @returns undefined if a command ended before its first instruction */
  async #planTarget(): Promise<ProcessTracer | undefined> {
    const { target, lossless } = this.#options
    if (target.kind === 'process') {
      await this.#calibrationBegun()
      return joinProcess(target.pid, lossless, this.#context, this.#processes)
    }
    const command = await TracedCommand.start(this.#kernel, target)
    this.#command = command
    void command.ended.then(() => this.#pause.end())
    await this.#calibrationBegun()
    return command.untilPlanned(this.#desk, this.#processes)
  }

  /** Planning takes a while in which nobody could let it begin. */
  async #calibrationBegun(): Promise<void> {
    await this.#measurement?.begun
  }

  /** All that see each event, in their order. */
  #consumers(engine: Reconstruction, tap: EventTap | undefined): EventConsumer {
    const { maxCalls, sumUp } = this.#options
    const recorder = tap?.({
      functions: this.#ids.table,
      pidOf: (tid) => this.#pidOf(tid),
      describeState: (consumer) => engine.describeState(consumer),
    })
    const all = recorder === undefined ? engine : both(recorder, engine)
    const metered = sumUp === undefined ? both(all, this.#budget.consumer) : all
    const counted = both(metered, this.#dropper.callCounts)
    if (maxCalls === undefined) return counted
    const { statistics } = engine
    return withCallLimit(
      counted,
      maxCalls,
      () => statistics.calls,
      () => {
        if (this.#stopRequested) return
        this.#kernel.close()
        this.stop()
      },
    )
  }

  get #hasLimits(): boolean {
    return this.#options.depthLimit !== undefined || this.#options.durationMinNs !== undefined
  }

  /** What the kernel leaves out, or holds back, needs another look. */
  #withLimits(events: EventConsumer): {
    readonly fromKernel: EventConsumer
    /** @returns up to when everything is known */
    readonly look: (isLast?: boolean) => TraceNs
    readonly untoldNsOf: (tid: Tid) => number
  } {
    const everything = { look: () => this.#kernel.seenUntilNs, untoldNsOf: () => 0 }
    if (!this.#hasLimits) return { fromKernel: events, ...everything }
    const costs = new HiddenCosts(events)
    const { durationMinNs } = this.#options
    if (durationMinNs === undefined) return { fromKernel: costs, ...everything }
    const held = new HeldCalls(costs, this.#kernel, durationMinNs)
    return {
      fromKernel: held,
      look: (isLast) =>
        held.look(
          [...this.#processes].map(({ pid }) => pid),
          isLast,
        ),
      untoldNsOf: (tid) => held.untoldNsOf(tid),
    }
  }

  /** Attaches what is planned, and lets a command run. */
  async #begin(events: EventConsumer, sink: SessionSink): Promise<void> {
    const { target, compensate, sumUp, log } = this.#options
    this.#timeline.begin(events, sink)
    this.#beginSampling(events)
    this.#measurement?.passOn(events)
    if (compensate && this.probeCosts === undefined) {
      this.#timeline.note('the cost of probes could not be measured: durations include it')
    }
    await this.#guard.ready
    if (this.#hasLimits) this.#kernel.limitCalls(hitCosts(this.probeCosts))
    if (sumUp !== undefined) {
      const planned = [...this.#processes].flatMap((tracer) => tracer.planned)
      this.#tracepoints.push(...this.#sums.begin(this.#kernel, planned, sumUp))
    }
    for (const tracer of this.#processes) {
      // It may have ended since it was planned.
      unlessGone(tracer.pid, () => this.#processes.attach(tracer))
      if (target.kind === 'command') tracer.resume()
    }
    log(`attached: ${this.#processes.functions.size} functions`)
    if (target.kind === 'process') {
      this.#lookForEnd = watchForEnd(target.pid, () => this.#processes.ended(target.pid))
    }
  }

  #beginSampling(events: EventConsumer): void {
    const { sampleInterval } = this.#options
    if (sampleInterval === undefined) return
    events.event(this.#timeline.now(), sampleInterval, 0, eventKind.sample, 0, 0)
    this.#kernel.beginSampling()
    this.#timeline.note(
      `a sample: 1 call in ${sampleInterval} is drawn, and traced with all the calls below it`,
    )
  }

  /** Passes events on, and answers reports, until the target has ended or tracing is to end. */
  async #pump(fromKernel: EventConsumer, show: () => void): Promise<void> {
    const { maxDurationMs } = this.#options
    const timer = maxDurationMs === undefined ? undefined : setTimeout(() => this.stop(), maxDurationMs)
    const isDone = () => this.#stopRequested || this.#hasEnded()
    const makeRoom = () => this.#drain(fromKernel)
    void this.#desk.answerUntil(isDone, makeRoom, () => this.#pause.end())
    const source = {
      drain: (consumer: EventConsumer, most: number) => this.#drain(consumer, most),
      wakeOnEvent: (isWanted: boolean) => this.#kernel.wakeOnEvent(isWanted),
    }
    await pumpEvents(source, fromKernel, {
      flush: () => {
        this.#lookForEnd()
        this.#budget.tick()
        show()
      },
      done: isDone,
      isWatchful: () => this.#desk.expectsWait,
      lookOut: (isIdle) => this.#desk.lookOut(makeRoom, isIdle),
      pause: this.#pause,
    })
    clearTimeout(timer)
  }

  #drain(consumer: EventConsumer, most?: number): number {
    const count = this.#kernel.drain(this.#timeline.inOrder(consumer), most)
    this.#timeline.tellWaits(consumer, this.#kernel.seenUntilNs)
    return count
  }

  #hasEnded(): boolean {
    return this.#processes.isEmpty && (this.#command === undefined || this.#command.hasEnded)
  }

  /** Removes all probes, everywhere. */
  async #detach(): Promise<void> {
    await this.#processes.detach()
    // Not before: a child is born with the probes as long as there are any, and must be freed of them.
    await detachAll(this.#tracepoints)
    // Last: what the kernel is asked for meanwhile makes others wait twice as long.
    await this.#measurement?.detach((links) => this.#guard.detach(links))
  }

  #pidOf(tid: number): Pid {
    const { target } = this.#options
    return (
      processOfThread(tid) ?? (target.kind === 'process' ? target.pid : (this.#command?.pid ?? (tid as Pid)))
    )
  }
}

/** What the kernel has to know of functions. */
function describedFor({ sumUp, sampleInterval, depthLimit, durationMinNs }: SessionOptions) {
  if ((sumUp ?? durationMinNs) !== undefined) return 'sums'
  return (sampleInterval ?? depthLimit) === undefined ? undefined : 'ends'
}
