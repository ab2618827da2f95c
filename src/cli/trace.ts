import { constants } from 'node:os'
import { UserError } from '../base/errors.ts'
import { escapeText } from '../base/escape.ts'
import { nearestMatch } from '../base/nearest.ts'
import { ElfError } from '../elf/error.ts'
import { fileSource } from '../elf/file-source.ts'
import { parseElf } from '../elf/image.ts'
import type { Untraced } from '../probe/plan.ts'
import { renderPlan } from '../probe/render-plan.ts'
import { hasSymbolTable } from '../session/module-code.ts'
import type { PlannedModule } from '../session/plan-process.ts'
import { createSelection } from '../session/selection.ts'
import { type TraceResult, TraceSession } from '../session/session.ts'
import type { SessionSink, SessionTarget } from '../session/session-options.ts'
import { createFlatSink } from '../sink/flat.ts'
import { createGraphSink } from '../sink/graph.ts'
import { createJsonLinesSink } from '../sink/jsonl.ts'
import type { OutputSink } from '../sink/output-sink.ts'
import { countReasons, summaryLine } from '../sink/summary.ts'
import { resolveCommand } from '../target/command.ts'
import type { InheritedState } from '../target/inherited.ts'
import type { TraceSink } from '../trace/call.ts'
import type { TraceClock } from '../trace/clock.ts'
import { type TimeFilter, withMaxDepth, withThreadFilter, withTimeFilter } from '../trace/filters.ts'
import type { TraceOptions } from './options.ts'
import {
  ClosedPipeError,
  fileOutput,
  type Output,
  printLine,
  printText,
  standardErrorOutput,
  wantsColor,
} from './output.ts'
import { realtimeBase, shownClock } from './shown-clock.ts'
import { findUser } from './user.ts'

const statusOfSignal = (signal: NodeJS.Signals) => 128 + constants.signals[signal]

/** `utrace --plan`: prints which probes a trace would use. @returns the exit status */
export async function showPlan(options: TraceOptions, inherited: InheritedState): Promise<number> {
  const session = new TraceSession({ ...sessionOptions(options, inherited), compensate: false })
  try {
    const { planned } = await session.prepare()
    checkSomethingToTrace(options, planned)
    printText(planned.map(({ module, plan }) => renderPlan(module.name, plan, escapeText)).join('\n'))
    return 0
  } finally {
    await session.abandon()
  }
}

/** Traces, and prints the trace and its summary. @returns the exit status: that of a command */
export async function runTrace(options: TraceOptions, inherited: InheritedState): Promise<number> {
  const session = new TraceSession(sessionOptions(options, inherited))
  const output = await prepareTrace(session, options, () =>
    options.output === undefined ? standardErrorOutput() : fileOutput(options.output),
  )
  const signals = forwardSignals(session)
  const guarded = guardOutput(createSink(options, output, session.clock), () => session.stop())
  const result = await session.trace(guarded.sink)
  guarded.finish()
  output.close()
  if (guarded.failure instanceof ClosedPipeError) return statusOfSignal('SIGPIPE')
  if (guarded.failure !== undefined) throw guarded.failure
  printSummary(result, options.debug)
  return exitStatus(result, signals.received())
}

/**
 * Prepares a session, and opens what the trace goes to. If any of it fails, the target is left alone.
 * @param open told what is planned: there is something to trace
 * @returns what has been opened
 */
export async function prepareTrace<Opened>(
  session: TraceSession,
  options: TraceOptions,
  open: (planned: readonly PlannedModule[]) => Opened | Promise<Opened>,
): Promise<Opened> {
  try {
    const { planned } = await session.prepare()
    checkSomethingToTrace(options, planned)
    const opened = await open(planned)
    remark(planned)
    return opened
  } catch (error) {
    await session.abandon()
    throw error
  }
}

export function sessionOptions(options: TraceOptions, inherited: InheritedState) {
  return {
    target: sessionTarget(options, inherited),
    selection: createSelection(options),
    exitProbe: options.exitProbe,
    placement: options.placement,
    bufferBytes: options.bufferBytes,
    threads: options.tidFilter,
    followForks: options.followForks,
    lossless: options.lossless,
    maxCalls: options.maxCalls,
    budget: options.budget,
    sampleInterval: options.sampleInterval,
    ...kernelFilters(options),
    warn: (text: string) => printLine(`utrace: ${text}`),
    maxDurationMs: options.duration === undefined ? undefined : options.duration / 1e6,
    compensate: !options.rawTimes,
    cpuTime: options.cpuTime,
    log: (done: string) => {
      if (options.debug) printLine(`utrace: ${performance.now().toFixed(0).padStart(6)} ms: ${done}`)
    },
  }
}

/**
 * What the kernel may leave out. A budget must know of every hit what it is for; of a sample, the depth within calls that were
 * drawn is another one; and a call that is held back is not counted before it is long enough.
 */
function kernelFilters({ budget, sampleInterval, maxCalls, maxDepth, timeFilterNs }: TraceOptions) {
  const isWhole = budget === undefined && sampleInterval === undefined
  return {
    depthLimit: isWhole ? maxDepth : undefined,
    durationMinNs: isWhole && maxCalls === undefined && timeFilterNs > 0 ? timeFilterNs : undefined,
  }
}

function sessionTarget(options: TraceOptions, inherited: InheritedState): SessionTarget {
  const { target } = options
  if (target.kind === 'process') return target
  const file = resolveCommand(target.words[0]!, process.env.PATH)
  checkProgram(file, target.words)
  return {
    kind: 'command',
    file,
    words: target.words,
    environment: inherited.environment ?? process.env,
    user: options.user === undefined ? undefined : findUser(options.user),
    randomizeAddresses: options.randomizeAddresses,
    inherited,
  }
}

/** What can't be traced is said before it is started. */
function checkProgram(file: string, words: readonly string[]): void {
  const source = fileSource(file)
  try {
    parseElf(source, file)
  } catch (error) {
    if (!(error instanceof ElfError) || error.script === undefined) throw error
    const command = [error.script.interpreter, file, ...words.slice(1)].join(' ')
    throw new UserError(
      `${escapeText(file)} is a script: trace the program that runs it: utrace -c "${escapeText(command)}"`,
      { cause: error },
    )
  } finally {
    source.close()
  }
}

function checkSomethingToTrace(options: TraceOptions, planned: readonly PlannedModule[]): void {
  if (planned.length === 0 || planned.some(({ plan }) => plan.functions.length > 0)) return
  const untraced = planned.flatMap(({ plan }) => plan.untraced)
  const names = untraced.map(({ name }) => name)
  const wanted = options.functions.join(',')
  const nearest = nearestMatch(wanted, names)
  throw new UserError(
    `no function matches ${wanted === '*' ? 'and can be traced' : `'${escapeText(wanted)}'`} in ${planned[0]!.module.name}` +
      ` and its library calls${nearest === undefined ? '' : ` (did you mean ${escapeText(nearest)}?)`}${whyNot(untraced)}:` +
      ` see what there is with --plan, ${unnamedFix(planned[0]!)}or trace inside libraries with --nest-lib`,
  )
}

/** The most frequent reason, for those that do match. */
function whyNot(untraced: readonly Untraced[]): string {
  const [most] = [...countReasons(untraced)].sort(([, a], [, b]) => b - a)
  return most === undefined ? '' : ` (not traced: ${most[1]}, ${escapeText(most[0])})`
}

function unnamedFix({ module }: PlannedModule): string {
  return hasSymbolTable(module)
    ? ''
    : `trace functions that have no names with -f '${escapeText(module.name)}+0x*', `
}

/** One line about what the user would otherwise miss. */
function remark(planned: readonly PlannedModule[]): void {
  const [own] = planned
  const isTraced = own?.plan.functions.some(({ name }) => name.includes('+0x'))
  if (own === undefined || hasSymbolTable(own.module) || isTraced) return
  const name = escapeText(own.module.name)
  printLine(
    `utrace: ${name} has no symbol table (.symtab): only its library calls are traced, not its own functions; ` +
      `-f '${name}+0x*' traces them by address, and a debug symbols package (${name}-dbg, -dbgsym or -debuginfo) names them`,
  )
}

/** The session's view of the output: filters and format. */
function createSink(
  options: TraceOptions,
  output: Output,
  clock: TraceClock,
): { sink: SessionSink; finish(): void } {
  const format = createFormat(options, output, clock)
  let filtered: TraceSink = format
  if (options.maxDepth !== undefined) filtered = withMaxDepth(filtered, options.maxDepth)
  if (options.tidFilter.length > 0) filtered = withThreadFilter(filtered, new Set(options.tidFilter))
  let timeFilter: TimeFilter | undefined
  if (options.timeFilterNs > 0) {
    timeFilter = withTimeFilter(filtered, options.timeFilterNs)
    filtered = timeFilter
  }
  const outermost = filtered
  const sink: SessionSink = {
    begin: (call) => outermost.begin(call),
    end: (call) => outermost.end(call),
    lost: (loss) => outermost.lost(loss),
    note: (note) => outermost.note(note),
    tick: (seenUntil, overheadNsOf) => {
      timeFilter?.tick(seenUntil, overheadNsOf)
      format.tick(seenUntil)
    },
    flush: () => format.flush(),
  }
  return { sink, finish: () => format.finish() }
}

function createFormat(options: TraceOptions, output: Output, traceClock: TraceClock): OutputSink {
  const clock = shownClock(options.clock, traceClock, () => realtimeBase(traceClock))
  const write = (chunk: Uint8Array) => output.write(chunk)
  if (options.format === 'jsonl') return createJsonLinesSink({ write, clock })
  const table = {
    write,
    clock,
    ...options.columns,
    libname: options.libname,
    color: wantsColor(options.color, output.fd),
  }
  return options.format === 'flat' ? createFlatSink(table) : createGraphSink(table)
}

/** Once the output fails nothing more is written: the trace is stopped, and the target runs on. */
function guardOutput(inner: { sink: SessionSink; finish(): void }, stop: () => void) {
  const guarded = {
    failure: undefined as unknown,
    sink: {} as SessionSink,
    finish: () => attempt(() => inner.finish()),
  }
  function attempt(write: () => void): void {
    if (guarded.failure !== undefined) return
    try {
      write()
    } catch (error) {
      guarded.failure = error
      stop()
    }
  }
  const { sink } = inner
  guarded.sink = {
    begin: (call) => attempt(() => sink.begin(call)),
    end: (call) => attempt(() => sink.end(call)),
    lost: (loss) => attempt(() => sink.lost(loss)),
    note: (note) => attempt(() => sink.note(note)),
    tick: (seenUntil, overheadNsOf) => attempt(() => sink.tick(seenUntil, overheadNsOf)),
    flush: () => attempt(() => sink.flush()),
  }
  return guarded
}

/** The terminal sends an interrupt to the command as well: utrace only prepares to leave. */
export function forwardSignals(session: TraceSession) {
  let received: NodeJS.Signals | undefined
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) {
    process.on(signal, () => {
      received = signal
      if (signal === 'SIGINT' || signal === 'SIGQUIT') session.interrupt()
      else session.stop()
    })
  }
  return { received: () => received }
}

export function exitStatus({ exit }: TraceResult, received: NodeJS.Signals | undefined): number {
  if (exit !== undefined) return 'status' in exit ? exit.status : statusOfSignal(exit.signal)
  return received === undefined || received === 'SIGINT' ? 0 : statusOfSignal(received)
}

/** @param summedUp the calls, where the kernel has summed them up */
export function printSummary(result: TraceResult, debug: boolean, summedUp?: number): void {
  const { statistics, functionsTraced, untraced, waitedNs } = result
  if (debug)
    for (const { name, reason } of untraced)
      printLine(`utrace: not traced: ${escapeText(name)}: ${escapeText(reason)}`)
  const { calls, estimatedCalls, threads, lostEvents, openCalls } = statistics
  const ofEvents = { calls, estimatedCalls, threads, lostEvents, openAtEnd: openCalls, waitedNs }
  const seen = summedUp === undefined ? ofEvents : { calls: summedUp, openAtEnd: 0 }
  for (const { name, calls, atNs } of result.dropped) {
    const when = `${(atNs / 1e9).toFixed(1)} s`
    printLine(
      `utrace: ${escapeText(name)} was traced up to ${when}, for ${calls} calls: then the budget was used up`,
    )
  }
  printLine(summaryLine({ ...seen, functionsTraced, notTraced: countReasons(untraced) }))
}
