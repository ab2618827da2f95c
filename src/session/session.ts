import { setTimeout as pause } from 'node:timers/promises'
import { messageOf, UserError } from '../base/errors.ts'
import { escapeText } from '../base/escape.ts'
import { type EventConsumer, eventKind } from '../base/event.ts'
import type { FunctionSums } from '../base/function-sums.ts'
import { asTraceNs, type Pid, type Tid, type TraceNs } from '../base/units.ts'
import { type HookedReturn, Kernel, type ProcessReport, permissionError } from '../bpf/kernel.ts'
import { type BpfLink, detachAll } from '../bpf/link.ts'
import { listReturns } from '../bpf/list-returns.ts'
import type { KernelStatistics } from '../bpf/statistics.ts'
import { Calibration } from '../calibration/calibration.ts'
import type { FunctionPlan, Untraced } from '../probe/plan.ts'
import type { RecordedTrace } from '../recording/recorder.ts'
import { isPermissionProblem } from '../sys/libc.ts'
import { checkPidNamespace, checkProcess } from '../target/attach.ts'
import { readAuxiliaryVector } from '../target/auxiliary-vector.ts'
import {
  hasMemory,
  hasRunningThread,
  processOfThread,
  processStartTicks,
  processState,
} from '../target/process.ts'
import { restoreReturns } from '../target/restore-returns.ts'
import {
  type ExitReport,
  type StartedCommand,
  type StartOptions,
  startCommand,
  wrappedCommand,
} from '../target/start.ts'
import type { TracedFunction, TraceSink } from '../trace/call.ts'
import type { TraceClock } from '../trace/clock.ts'
import { type ProbeCosts, probeCostsText } from '../trace/probe-costs.ts'
import { Reconstruction, type TraceStatistics } from '../trace/reconstruct.ts'
import type { CostedFunction } from './budget.ts'
import { BudgetKeeper } from './budget-keeper.ts'
import { CallCounts } from './call-counts.ts'
import { FaultedEntries } from './faulted-entries.ts'
import { FunctionIds } from './function-ids.ts'
import { Guard } from './guard.ts'
import { ModuleReader } from './modules.ts'
import type { PlannedModule, PlanOptions } from './plan-process.ts'
import { ProcessTracer, type TracerContext } from './process-tracer.ts'
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
  /** Threads whose calls alone are wanted; empty: all. */
  readonly threads: readonly Tid[]
  /** Whether child processes are traced too. */
  readonly followForks: boolean
  /** Whether the target waits rather than that an event is lost. */
  readonly lossless: boolean
  /** Tracing ends after so many calls, and so many milliseconds; undefined: when the target ends. */
  readonly maxCalls: number | undefined
  readonly maxDurationMs: number | undefined
  /** One call in so many is drawn, and traced with those below it; undefined: all are traced. */
  readonly sampleInterval: number | undefined
  readonly sumUp?: SummingUp
  /** The share of the time that probes may cost the target, of 1; undefined: as much as they need. */
  readonly budget: number | undefined
  /** Told what the user should know at once. */
  readonly warn: (text: string) => void
  /** Whether the cost of probes is measured and taken off durations. */
  readonly compensate: boolean
  /** Whether the time is reported that threads are off their CPUs. */
  readonly cpuTime: boolean
  /** Told what has just been done: for people who want to know where start-up time goes. */
  readonly log: (done: string) => void
}

/** Calls that are summed up in the kernel instead of being reported one by one: `utrace stat`. */
export interface SummingUp {
  /** They are reported as well, with the same times: for tests. */
  readonly alsoTrace: boolean
}

/** A function that has lost its probes while tracing, because they cost too much. */
export interface DroppedFunction {
  readonly name: string
  /** All that were seen. */
  readonly calls: number
  readonly atNs: TraceNs
}

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

/** Makes what takes every event before its call is rebuilt: a recorder. */
export type EventTap = (trace: RecordedTrace) => EventConsumer

/** How long a command may take to end after an interrupt that it got as well. */
const interruptGraceMs = 1_000
/** A stopped process's threads come to rest within microseconds, unless the machine is very busy. */
const restWaitMs = 200
const livenessIntervalMs = 100
/** Calibration makes some 2,000 events, 64 KB: they must not fill half a ring. */
const calibrationRoomBytes = 256 << 10
/** What has happened in a process is read long before this time after its end. */
const eventsOnTheirWayMs = 1_000
/** So long the exits of a function are watched after its entries are not. */
const lastCallsMs = 50
/** Functions that come with libraries and programs which are loaded later are summed up too, as far as there is room. */
const roomForMore = 1.25
const roomForLibraries = 1024
/** How long something that is stopped while probes are being removed waits at most until somebody looks. */
const lateLookMs = 5

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
  readonly #guard: Guard
  readonly #context: TracerContext
  /** The processes that are traced, by pid. */
  readonly #tracers = new Map<number, ProcessTracer>()
  /** Those that have ended, as long as events of theirs may be on their way. */
  readonly #ended = new Map<number, ProcessTracer>()
  /** Functions that have carried probes, by id. */
  readonly #tracedFunctions = new Set<number>()
  readonly #untraced = new Map<string, Untraced>()
  /** Children that are being made free of probes. */
  readonly #leaving = new Set<Promise<void>>()
  /** Probes of processes that have ended. */
  readonly #detaching = new Set<Promise<void>>()
  #calibration: Calibration | undefined
  #probeCosts: ProbeCosts | undefined
  /** Events from before tracing began. */
  readonly #early: Parameters<EventConsumer['event']>[] = []
  #command: StartedCommand | undefined
  #exit: ExitReport | undefined
  #commandEnded = false
  #stopRequested = false
  #switchesStacks = false
  #statistics: KernelStatistics | undefined
  readonly #budget: BudgetKeeper
  readonly #callCounts = new CallCounts()
  /** Functions that have lost their probes, by id, and when. */
  readonly #dropped = new Map<number, TraceNs>()
  #events: EventConsumer | undefined
  #sink: SessionSink | undefined
  /** What was to be said before there was somebody to hear it. */
  readonly #earlyNotes: string[] = []
  /** How often a process was stopped for a moment, by the reason. */
  readonly #stops = new Map<ProcessReport['kind'], number>()
  #stopsNoted = false

  /** Sets the kernel side up. @throws UserError with the reason and the fix */
  constructor(options: SessionOptions) {
    this.clock = { baseNs: process.hrtime.bigint() }
    this.#options = options
    checkPidNamespace()
    if (options.target.kind === 'process') checkProcess(options.target.pid)
    try {
      const { bufferBytes, lossless, threads, sampleInterval } = options
      this.#kernel = new Kernel(this.clock.baseNs, bufferBytes, { lossless, threads, sampleInterval })
      this.#guard = new Guard(this.#kernel)
      this.#tracepoints = this.#kernel.attachTracepoints()
      if (options.cpuTime) this.#tracepoints.push(this.#kernel.attachSwitches())
      options.log(`kernel side loaded, ${this.#kernel.ringBytes >> 10} KB of ring buffer per CPU`)
    } catch (error) {
      throw isPermissionProblem(error) ? permissionError(error) : error
    }
    const { selection, followForks } = options
    const reader = new ModuleReader()
    const note = (text: string) => this.#note(text)
    this.#budget = new BudgetKeeper(options.budget, {
      planOf: (id) => this.#planOf(id),
      drop: (functions, share) => this.#drop(functions, share),
      warn: () =>
        options.warn(
          'the program runs more than ten times slower, so much is called: choose with -f, sum up with utrace stat, or give --budget 5%',
        ),
    })
    const describedFor =
      options.sumUp !== undefined ? 'sums' : options.sampleInterval === undefined ? undefined : 'sample'
    this.#context = {
      kernel: this.#kernel,
      selection,
      options,
      ids: this.#ids,
      reader,
      followForks,
      describedFor,
      note,
    }
  }

  /** Starts or attaches, and plans: the target waits (a command) or runs on (a process) until `trace` or `abandon`. */
  async prepare(): Promise<{ planned: readonly PlannedModule[]; untraced: readonly Untraced[] }> {
    const { target, log } = this.#options
    await this.#kernel.ready
    // In smaller rings its own events would get lost, or it would have to wait.
    if (this.#options.compensate && this.#kernel.ringBytes >= calibrationRoomBytes) this.#startCalibration()
    const tracer = target.kind === 'command' ? await this.#start(target) : this.#join(target.pid)
    if (tracer === undefined) return { planned: [], untraced: [] }
    this.#checkSwitches(tracer)
    log(`planned: ${tracer.planned.reduce((sum, { plan }) => sum + plan.functions.length, 0)} functions`)
    return { planned: tracer.planned, untraced: [...tracer.untraced.values()] }
  }

  /**
   * Traces until the target has ended, or until `stop`.
   * @param tap what is to see every event as the kernel reported it
   */
  async trace(sink: SessionSink, tap?: EventTap): Promise<TraceResult> {
    await this.#finishCalibration()
    // Not before: what is calibrated must not be silent.
    if (this.#options.selection.switches.has('starts')) this.#kernel.pause()
    const functions = this.#ids.table
    const pidOf = (tid: number) => this.#pidOf(tid)
    const observer = {
      manyReturnsPending: (ids: readonly number[]) => this.#probeExits(recursiveFunctions(ids)),
    }
    const engine = new Reconstruction(functions, sink, pidOf, { observer, probeCosts: this.#probeCosts })
    const describeState = (consumer: EventConsumer) => engine.describeState(consumer)
    const all = tap === undefined ? engine : both(tap({ functions, pidOf, describeState }), engine)
    const counted = this.#options.sumUp === undefined ? both(all, this.#budget.consumer) : all
    const events = this.#withoutCallsBeyond(this.#options.maxCalls, both(counted, this.#callCounts), engine)
    this.#events = events
    this.#sink = sink
    const fromKernel = new FaultedEntries(events, (pid, address, returnsIntoProgram) =>
      (this.#tracers.get(pid) ?? this.#ended.get(pid))?.functionBegunAt(address, returnsIntoProgram),
    )
    this.#beginSampling(events)
    for (const text of this.#earlyNotes.splice(0)) this.#note(text)
    for (const event of this.#early.splice(0)) events.event(...event)
    if (this.#options.compensate && this.#probeCosts === undefined) {
      this.#note('the cost of probes could not be measured: durations include it')
    }
    await this.#guard.ready
    this.#beginSums()
    for (const tracer of this.#tracers.values()) {
      this.#attach(tracer)
      if (this.#options.target.kind === 'command') tracer.resume()
    }
    this.#options.log(`attached: ${this.#tracedFunctions.size} functions`)
    if (this.#options.target.kind === 'process') this.#watchProcess(this.#options.target.pid)
    const { maxDurationMs } = this.#options
    const timer = maxDurationMs === undefined ? undefined : setTimeout(() => this.stop(), maxDurationMs)
    await this.#pump(fromKernel, sink)
    clearTimeout(timer)
    const stops = [...this.#stops].map(([kind, count]) => `${count} ${kind}`)
    this.#options.log(`tracing done; the target was stopped for a moment ${stops.join(', ') || 'never'}`)
    await this.#detach(events)
    this.#guard.dismiss()
    this.#options.log('detached')
    while (this.#kernel.drain(fromKernel) > 0);
    const now = this.#now()
    for (const { cpu, count } of this.#kernel.unreportedLosses()) {
      events.event(now, count, 0, eventKind.lost, 0, cpu)
    }
    engine.finish(now)
    return {
      statistics: engine.statistics,
      functionsTraced: this.#tracedFunctions.size,
      untraced: [...this.#untraced.values()],
      exit: this.#exit,
      endNs: now,
      waitedNs: engine.waitedNs,
      // Counted now: some calls had begun before and were read after.
      dropped: [...this.#dropped].map(([id, atNs]) => ({
        name: functions[id]!.fn.name,
        calls: this.#callCounts.of(id),
        atNs,
      })),
    }
  }

  /** What is to switch tracing must be there. @throws UserError */
  #checkSwitches(tracer: ProcessTracer): void {
    const { switches } = this.#options.selection
    const found = new Set(tracer.switches().map(({ what }) => what))
    for (const [what, patterns] of switches) {
      if (found.has(what)) continue
      throw new UserError(
        `no function that can be traced matches ${what === 'starts' ? '--start-at' : '--stop-at'} '${escapeText(patterns)}': see what there is with --plan`,
      )
    }
  }

  /** Once there are so many calls no further ones begin, and tracing ends. */
  #withoutCallsBeyond(
    maxCalls: number | undefined,
    consumer: EventConsumer,
    { statistics }: Reconstruction,
  ): EventConsumer {
    if (maxCalls === undefined) return consumer
    return {
      event: (time, stack, tid, kind, functionId, cpu) => {
        if (kind === eventKind.entry && statistics.calls >= maxCalls) return
        consumer.event(time, stack, tid, kind, functionId, cpu)
        if (statistics.calls < maxCalls || this.#stopRequested) return
        this.#kernel.close()
        this.stop()
      },
    }
  }

  /** What `sumUp` has come to so far, by function. */
  sums(): { readonly fn: TracedFunction; readonly sums: FunctionSums }[] {
    const statistics = this.#statistics
    if (statistics === undefined) return []
    return this.#ids.table.map(({ fn }) => ({ fn, sums: statistics.of(fn.id) }))
  }

  #planOf(functionId: number): FunctionPlan | undefined {
    for (const tracer of this.#tracers.values()) {
      const plan = tracer.planOf(functionId)
      if (plan !== undefined) return plan
    }
    return undefined
  }

  /** Takes the probes of functions out, for good. Calls that are open have a moment to end in sight. */
  #drop(functions: readonly CostedFunction[], share: number): void {
    const fresh = functions.filter(({ id }) => !this.#ids.dropped.has(id))
    if (fresh.length === 0) return
    const dropped = new Set(fresh.map(({ id }) => id))
    for (const id of dropped) {
      this.#ids.dropped.add(id)
      this.#kernel.describeFunction(id, ['dropped'])
    }
    let areOut = true
    const remove = (which: 'entries' | 'exits') => {
      for (const tracer of this.#tracers.values()) {
        this.#unlessGone(tracer.pid, () => {
          if (!tracer.removeProbes(dropped, which)) areOut = false
        })
      }
    }
    remove('entries')
    const atNs = this.#now()
    for (const { id, costNs } of fresh) {
      const { name } = this.#ids.table[id]!.fn
      const calls = this.#callCounts.of(id)
      this.#dropped.set(id, atNs)
      const percent = Math.round((100 * costNs) / functions.reduce((sum, each) => sum + each.costNs, 0))
      this.#note(
        `${name} is not traced any more, after ${calls} calls: probes took ${Math.round(share * 100)} % of the time, ${percent} % of that its own` +
          (areOut ? '' : '; its probes stay, and cost a little'),
      )
    }
    setTimeout(() => {
      remove('exits')
      const now = this.#now()
      for (const id of dropped) this.#events?.event(now, 0, 0, eventKind.dropped, id, 0)
    }, lastCallsMs)
  }

  #beginSampling(events: EventConsumer): void {
    const { sampleInterval } = this.#options
    if (sampleInterval === undefined) return
    events.event(this.#now(), sampleInterval, 0, eventKind.sample, 0, 0)
    this.#kernel.beginSampling()
    this.#note(`a sample: 1 call in ${sampleInterval} is drawn, and traced with all the calls below it`)
  }

  #beginSums(): void {
    const { sumUp } = this.#options
    if (sumUp === undefined) return
    const planned = [...this.#tracers.values()].flatMap((tracer) => tracer.planned)
    const functions = planned.reduce((sum, { plan }) => sum + plan.functions.length, 0)
    const { statistics, links } = this.#kernel.sumUp(
      Math.ceil(functions * roomForMore) + roomForLibraries,
      sumUp.alsoTrace,
    )
    this.#statistics = statistics
    this.#tracepoints.push(...links)
  }

  /** What probes cost; undefined where that was not measured. Known when tracing begins. */
  get probeCosts(): ProbeCosts | undefined {
    return this.#probeCosts
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
    if (this.#command !== undefined && !this.#commandEnded) process.kill(this.#command.pid, 'SIGKILL')
    await Promise.all([...this.#tracers.values()].map((tracer) => tracer.detach()))
    await this.#calibration?.detach()
    await detachAll(this.#tracepoints)
    this.#guard.dismiss()
  }

  #startCalibration(): void {
    try {
      this.#calibration = new Calibration(this.#kernel)
      this.#options.log('calibration started')
    } catch (error) {
      // A machine on which no program of ours can run: durations stay what was measured, and that is said.
      this.#options.log(`calibration failed: ${messageOf(error)}`)
    }
  }

  async #finishCalibration(): Promise<void> {
    if (this.#calibration === undefined) return
    this.#probeCosts = await this.#calibration.finish({ event: (...event) => this.#early.push(event) })
    this.#detaching.add(this.#calibration.detach())
    this.#options.log(
      this.#probeCosts === undefined
        ? 'calibration failed: too few events'
        : `calibrated: ${probeCostsText(this.#probeCosts)}`,
    )
  }

  #join(pid: Pid): ProcessTracer {
    const tracer = new ProcessTracer(pid, this.#context)
    if (this.#options.lossless && tracer.isShellJob) {
      throw new UserError(
        `--lossless does not go with process ${pid}: its shell would take it for stopped whenever it waits; try a larger --buffer`,
      )
    }
    this.#remember(tracer)
    tracer.join()
    return tracer
  }

  /** @returns undefined if the command ended before its first instruction: a wrapper could not execute it */
  async #start(target: StartOptions): Promise<ProcessTracer | undefined> {
    this.#kernel.armStart(wrappedCommand(target).wrappers + 1)
    this.#command = await startCommand(target)
    void this.#command.ended.then((exit) => {
      this.#exit = exit
      this.#commandEnded = true
    })
    for (;;) {
      const over = this.#commandEnded
      const report = this.#kernel.nextReport()
      if (report !== undefined) {
        this.#answer(report)
        const tracer = this.#tracers.get(this.#command.pid)
        if (tracer?.isPlanned) return tracer
        // The end of another process (what calibrates) must not take a stop of this one away.
        if (report.pid === this.#command.pid) tracer?.resume()
      } else if (over) return undefined
      else await this.#kernel.reportReady()
    }
  }

  /** No call begins any more; those that end while the probes are removed, which takes time, are still seen. */
  async #detach(events: EventConsumer): Promise<void> {
    this.#kernel.close()
    this.#restoreAllReturns()
    let isDetached = false
    const detached = this.#detachEverything().finally(() => {
      isDetached = true
    })
    await pumpEvents(this.#kernel, events, { flush: () => {}, done: () => isDetached })
    await detached
  }

  async #pump(consumer: EventConsumer, sink: SessionSink): Promise<void> {
    const isDone = () => this.#stopRequested || this.#hasEnded()
    // Stopped processes are not left to wait for the next look at the events.
    void this.#answerReportsUntil(isDone)
    await pumpEvents(this.#kernel, consumer, {
      flush: () => {
        this.#budget.tick()
        sink.tick(this.#now())
        sink.flush()
      },
      done: isDone,
    })
  }

  async #answerReportsUntil(isDone: () => boolean): Promise<void> {
    while (!isDone()) {
      await this.#kernel.reportReady()
      this.#answerReports()
    }
  }

  #hasEnded(): boolean {
    return this.#tracers.size === 0 && (this.#command === undefined || this.#commandEnded)
  }

  #answerReports(): void {
    const stopped = new Set<Pid>()
    let isFull = false
    do {
      for (let report = this.#kernel.nextReport(); report !== undefined; report = this.#kernel.nextReport()) {
        const { pid } = report
        stopped.add(pid)
        if (report.kind === 'full') {
          isFull = true
          continue
        }
        this.#unlessGone(pid, () => {
          this.#answer(report)
          const tracer = this.#tracers.get(pid)
          if (tracer?.isPlanned) this.#attach(tracer)
        })
      }
      // Another thread may be about to report too: to continue the process now would take its stop away.
    } while ([...stopped].some(comesToRest) && this.#kernel.hasReport())
    // Whoever waits for room finds it.
    if (isFull && this.#events !== undefined) this.#kernel.drain(this.#events)
    for (const pid of stopped) this.#tracers.get(pid)?.resume()
  }

  /** Does what a report calls for. The process is stopped, unless it has ended: the caller resumes it. */
  #answer(report: ProcessReport): void {
    const { pid, kind } = report
    if (kind !== 'ended') this.#stops.set(kind, (this.#stops.get(kind) ?? 0) + 1)
    if (report.kind === 'started' || report.kind === 'exec') this.#beginImage(pid)
    else if (report.kind === 'loaded') this.#tracers.get(pid)?.loaded()
    else if (report.kind === 'forked') this.#fork(report.parent, pid)
    else if (report.kind === 'left') this.#leaveSoon(report.parent, pid)
    else if (report.kind === 'unwinds') this.#restoreReturns(pid, report.returns)
    else if (report.kind === 'deep') this.#probeExits([report.functionId])
    else this.#forget(pid)
  }

  /** A process may end while it is looked at: what fails then is of no interest. One that is ending has no memory any more. */
  #unlessGone(pid: Pid, act: () => void): void {
    try {
      act()
    } catch (error) {
      if (hasMemory(pid)) throw error
    }
  }

  #beginImage(pid: Pid): void {
    const isFirst = this.#tracers.size === 0
    this.#forget(pid)
    const tracer = new ProcessTracer(pid, this.#context)
    this.#remember(tracer)
    const reason = isFirst ? undefined : this.#whyNotTraced(pid)
    if (reason === undefined) tracer.begin()
    else {
      this.#note(`process ${pid} runs a new program that is not traced: ${reason}`)
      this.#letGo(pid)
    }
  }

  /** What a followed process runs need not be something that can, or may, be traced. */
  #whyNotTraced(pid: Pid): string | undefined {
    if (readAuxiliaryVector(pid).isSecure) return 'it runs with the rights of its file (set-user-ID)'
    try {
      this.#context.reader.read(pid)
      return undefined
    } catch (error) {
      if (error instanceof UserError) return error.message
      throw error
    }
  }

  #letGo(pid: Pid): void {
    this.#kernel.removeProcess(pid)
    this.#tracers.get(pid)?.resume()
    this.#tracers.delete(pid)
  }

  #fork(parent: Pid, child: Pid): void {
    const tracer = this.#tracers.get(parent)
    this.#remember(tracer?.fork(child) ?? new ProcessTracer(child, this.#context))
    if (this.#stopsNoted || !tracer?.watchesChildren) return
    this.#stopsNoted = true
    this.#note(
      `process ${parent} handles SIGCHLD: it may be told that a child stops and goes on, as utrace lets each do at its start, ` +
        'so that no call is missed; --no-follow-fork avoids that',
    )
  }

  /** Takes all probes away; that can take long. Whatever they stop meanwhile is continued at once. */
  async #detachEverything(): Promise<void> {
    let over = false
    const detached = Promise.all([
      detachAll(this.#tracepoints),
      ...[...this.#tracers.values()].map((tracer) => tracer.detach()),
      ...this.#detaching,
    ]).then(() => {
      over = true
    })
    while (!over) {
      this.#continueStopped()
      await Promise.race([detached, pause(lateLookMs)])
    }
    this.#continueStopped()
    await Promise.all(this.#leaving)
  }

  /** Answers late reports: nobody is traced any more, and everybody goes on. */
  #continueStopped(): void {
    for (let report = this.#kernel.nextReport(); report !== undefined; report = this.#kernel.nextReport()) {
      const { pid, kind } = report
      if (kind === 'forked' || kind === 'left') this.#leaveSoon(report.parent, pid)
      else if (kind !== 'ended') {
        this.#unlessGone(pid, () => {
          if (kind === 'unwinds') this.#tracers.get(pid)?.restoreReturns(report.returns)
          process.kill(pid, 'SIGCONT')
        })
      }
    }
  }

  #leaveSoon(parent: Pid, child: Pid): void {
    const leaving = this.#leave(parent, child).finally(() => this.#leaving.delete(leaving))
    this.#leaving.add(leaving)
  }

  /** A child that is not followed goes on as if its parent were not traced. */
  async #leave(parent: Pid, child: Pid): Promise<void> {
    this.#guard.add(child)
    const tracer = this.#tracers.get(parent)
    // Its copy of the hooked returns is complete when it comes to user space, and stops there: others may run before it.
    while (processState(child) === 'R') await pause(1)
    this.#unlessGone(child, () => {
      this.#restoreReturnsOf(child)
      tracer?.cleanChild(child)
      process.kill(child, 'SIGCONT')
    })
    this.#guard.remove(child)
  }

  #remember(tracer: ProcessTracer): void {
    this.#tracers.set(tracer.pid, tracer)
    this.#guard.add(tracer.pid)
  }

  #forget(pid: Pid): void {
    const tracer = this.#tracers.get(pid)
    if (tracer === undefined) return
    this.#tracers.delete(pid)
    this.#guard.remove(pid)
    this.#detaching.add(tracer.detach())
    this.#ended.set(pid, tracer)
    setTimeout(() => {
      if (this.#ended.get(pid) === tracer) this.#ended.delete(pid)
    }, eventsOnTheirWayMs).unref()
  }

  #attach(tracer: ProcessTracer): void {
    if (tracer.switchesStacks && !this.#switchesStacks) {
      this.#switchesStacks = true
      this.#events?.event(this.#now(), 0, 0, eventKind.stacksSwitch, 0, 0)
    }
    for (const id of tracer.attach()) this.#tracedFunctions.add(id)
    for (const [key, left] of tracer.untraced) this.#untraced.set(key, left)
    tracer.untraced.clear()
  }

  /** An unwinder is about to read the stack: it finds what the program put there, and from now on always will. */
  #restoreReturns(pid: Pid, returns: readonly HookedReturn[]): void {
    const tracer = this.#tracers.get(pid)
    if (tracer === undefined) return
    tracer.restoreReturns(returns)
    this.#probeExits(tracer.functionsAt(new Set(returns.map(({ probe }) => probe))))
  }

  /** Processes that live on are left as they were found. */
  #restoreAllReturns(): void {
    for (const pid of this.#tracers.keys())
      this.#unlessGone(pid as Pid, () => this.#restoreReturnsOf(pid as Pid))
  }

  #restoreReturnsOf(pid: Pid): void {
    const { listReturnsProgram } = this.#kernel.rescueFds
    if (listReturnsProgram !== undefined) restoreReturns(pid, () => listReturns(listReturnsProgram, pid))
  }

  /** Moves functions from hooked returns to probed exits, in all processes. */
  #probeExits(functionIds: Iterable<number>): void {
    const moved = new Set<number>()
    for (const id of functionIds) if (!this.#ids.areExitsProbed(id)) moved.add(id)
    if (moved.size === 0) return
    for (const tracer of this.#tracers.values()) {
      this.#unlessGone(tracer.pid, () => tracer.probeExits(moved))
    }
    const now = this.#now()
    for (const id of moved) {
      this.#ids.probeExits(id)
      this.#kernel.leaveReturnAlone(id)
      this.#events?.event(now, 0, 0, eventKind.exitsProbed, id, 0)
    }
  }

  #note(text: string): void {
    if (this.#sink === undefined) this.#earlyNotes.push(text)
    else this.#sink.note({ timeNs: this.#now(), text })
  }

  #pidOf(tid: number): Pid {
    const { target } = this.#options
    return (
      processOfThread(tid) ?? (target.kind === 'process' ? target.pid : (this.#command?.pid ?? (tid as Pid)))
    )
  }

  /** A process that is not our child, and that may have been left alone: its end is noticed by looking. */
  #watchProcess(pid: Pid): void {
    const startTicks = processStartTicks(pid)
    const timer = setInterval(() => {
      if (processStartTicks(pid) === startTicks && processState(pid) !== 'Z') return
      this.#forget(pid)
      clearInterval(timer)
    }, livenessIntervalMs)
    timer.unref()
  }

  #now() {
    return asTraceNs(Number(process.hrtime.bigint() - this.clock.baseNs))
  }
}

/** Those that are on the stack more than once: recursion is what makes it deep. Without one, all of them. */
function recursiveFunctions(ids: readonly number[]): Set<number> {
  const seen = new Set<number>()
  const repeated = new Set<number>()
  for (const id of ids) (seen.has(id) ? repeated : seen).add(id)
  return repeated.size > 0 ? repeated : seen
}

/** Waits until no thread of a process runs. @returns true, for then there may be something new */
function comesToRest(pid: Pid): boolean {
  const giveUpAt = performance.now() + restWaitMs
  while (hasRunningThread(pid) && performance.now() < giveUpAt);
  return true
}

function both(first: EventConsumer, second: EventConsumer): EventConsumer {
  return {
    event: (time, stack, tid, kind, functionId, cpu) => {
      first.event(time, stack, tid, kind, functionId, cpu)
      second.event(time, stack, tid, kind, functionId, cpu)
    },
  }
}
