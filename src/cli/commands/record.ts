import { cpus, hostname, release } from 'node:os'
import { UsageError } from '../../base/errors.ts'
import { escapeText } from '../../base/escape.ts'
import { formatSize, parseSize } from '../../base/size.ts'
import { EventFilter, type RecordedCalls } from '../../recording/event-filter.ts'
import { type RecordedTrace, Recorder } from '../../recording/recorder.ts'
import type { RecordedModule, RecordingOrigin } from '../../recording/recording.ts'
import type { SizeLimit } from '../../recording/recording-file.ts'
import type { PlannedModule } from '../../session/plan-process.ts'
import { type TraceResult, TraceSession } from '../../session/session.ts'
import type { SessionSink } from '../../session/session-options.ts'
import { parseInheritedState } from '../../target/inherited.ts'
import { processName, processWords, threadName } from '../../target/task-names.ts'
import { defaultRecordingPath } from '../analysis-options.ts'
import type { GivenOptions } from '../given-options.ts'
import { traceSynopsis } from '../help.ts'
import { type OptionDefinition, traceOptions } from '../option-table.ts'
import type { TraceOptions } from '../options.ts'
import { printLine } from '../output.ts'
import { ProgressLine } from '../progress.ts'
import { createRecordingFile } from '../recording-output.ts'
import { realtimeBase } from '../shown-clock.ts'
import { exitStatus, forwardSignals, prepareTrace, printSummary, sessionOptions } from '../trace.ts'
import { readTraceWords } from '../trace-words.ts'
import { utraceVersion } from '../version.ts'

/** Options of a trace that are about how it is shown. */
const shownLater: ReadonlySet<string> = new Set([
  'cpuid',
  'tid',
  'timestamp',
  'clock',
  'libname',
  'format',
  'flat',
  'color',
  'raw-times',
])
const elsewhere: ReadonlySet<string> = new Set(['plan', 'output', 'version', 'record', 'report'])

const group = 'Recording'

const options = [
  ...traceOptions.filter(({ name }) => !shownLater.has(name) && !elsewhere.has(name)),
  {
    name: 'output',
    short: ['o'],
    argument: 'FILE',
    again: 'refuse',
    group,
    help: `Record into FILE (default: ${defaultRecordingPath}); an existing one is kept as FILE.old`,
  },
  {
    name: 'size',
    argument: 'LIMIT',
    group,
    help: 'Stop when the recording has reached LIMIT, such as 100M; the program runs on',
  },
  {
    name: 'ring',
    argument: 'LIMIT',
    group,
    help: 'Keep only the newest, LIMIT at most, until the program ends or Ctrl-C is pressed',
  },
] as const satisfies readonly OptionDefinition[]

type RecordOptionName = (typeof options)[number]['name']

export const description = {
  synopsis: traceSynopsis('record'),
  summary:
    'Records every call of a program into one file, to be looked at later and elsewhere, without the program: ' +
    'utrace replay, report, graph, diff, export.',
  examples: [
    {
      purpose: 'record a program from its start to its end',
      run: 'sudo utrace record -c "sort -n numbers.txt"',
    },
    {
      purpose: 'keep the newest 100 MB of a service until Ctrl-C',
      run: 'sudo utrace record --ring 100M -p 1234',
    },
  ],
  options,
  notes: [
    'Filters make the recording smaller; the same ones, and more, can be given later, when it is read. How it is shown ' +
      'is said then: columns, format.',
  ],
}

/** `utrace record`. @returns the exit status: that of a command */
export async function run(words: readonly string[], inherited: string): Promise<number> {
  refuseShownLater(words)
  const read = readTraceWords<RecordOptionName>(description, words)
  if (read === undefined) return 0
  const { given, trace } = read
  const limit = readLimit(given)
  return record(trace, limit, words, inherited)
}

/** Says where an option belongs that `utrace` has and `utrace record` has not. */
function refuseShownLater(words: readonly string[]): void {
  for (const word of words) {
    if (word === '--' || !word.startsWith('-')) return
    const name = word.replace(/^--/, '').replace(/=.*/s, '')
    if (!shownLater.has(name)) continue
    throw new UsageError(`--${name} is not for recording, but for showing: give it to 'utrace replay'`)
  }
}

const smallestLimitBytes = 64 * 1024

function readLimit(given: GivenOptions<RecordOptionName>): SizeLimit | undefined {
  const parse = (text: string) => {
    const bytes = parseSize(text)
    if (bytes < smallestLimitBytes) throw new UsageError(`${text} is too small: give at least 64K`)
    return bytes
  }
  const size = given.read('size', parse)
  const ring = given.read('ring', parse)
  if (size !== undefined && ring !== undefined) {
    throw new UsageError('--size and --ring exclude each other: stop at a size, or keep the newest')
  }
  if (ring !== undefined) return { kind: 'ring', bytes: ring }
  return size === undefined ? undefined : { kind: 'stop', bytes: size }
}

async function record(
  options: TraceOptions,
  limit: SizeLimit | undefined,
  words: readonly string[],
  inherited: string,
): Promise<number> {
  const path = options.output ?? defaultRecordingPath
  const session = new TraceSession(sessionOptions(options, parseInheritedState(inherited)))
  const { planned, file } = await prepareTrace(session, options, (modules) => ({
    planned: modules,
    file: createRecordingFile(path, limit),
  }))
  const signals = forwardSignals(session)
  const progress = new ProgressLine()
  let recorder: Recorder | undefined
  let filter: EventFilter | undefined
  const stop = (reason: string) => {
    progress.clear()
    printLine(`utrace: recording has stopped: ${reason}; the program runs on`)
    session.stop()
  }
  const counts = { calls: 0, lost: 0 }
  const sink: SessionSink = {
    begin: () => {
      counts.calls++
    },
    end: () => {},
    lost: ({ count }) => {
      counts.lost += count
    },
    note: (note) => recorder?.note(note),
    tick: (seenUntil) => {
      filter?.tick(seenUntil)
      recorder?.tick()
    },
    flush: () => progress.show(counts.calls, file.sizeBytes, counts.lost),
  }
  const result = await session.trace(sink, (trace) => {
    const origin = describeOrigin(options, words, session)
    const taskNames = { thread: threadName, process: processName }
    const create = (recorded: RecordedTrace) => {
      recorder = new Recorder({ file, origin, taskNames, onStop: stop }, recorded)
      recorder.modules(describeModules(planned))
      return recorder
    }
    const calls = recordedCalls(options)
    if (calls === undefined) return create(trace)
    filter = new EventFilter(calls, trace, session.probeCosts, create)
    return filter
  })
  progress.clear()
  filter?.finish(result.endNs)
  const statistics = filter?.statistics ?? result.statistics
  if (recorder !== undefined) finish(recorder, planned, { ...result, statistics })
  printSummary(result, options.debug)
  const input = path === defaultRecordingPath ? '' : ` -i ${escapeText(path)}`
  const share = filter && `, ${statistics.calls.toLocaleString('en')} of these calls`
  printLine(
    `utrace: ${escapeText(path)}: ${formatSize(file.sizeBytes)}${share ?? ''}; see 'utrace report${input}' or 'utrace replay${input}'`,
  )
  const failed = recorder?.stopped !== undefined && limit?.kind !== 'stop'
  return failed ? 1 : exitStatus(result, signals.received())
}

/** @returns undefined where all calls are recorded */
function recordedCalls({ maxDepth, timeFilterNs, tidFilter }: TraceOptions): RecordedCalls | undefined {
  if (maxDepth === undefined && timeFilterNs === 0 && tidFilter.length === 0) return undefined
  return { maxDepth, minNs: timeFilterNs, tids: new Set(tidFilter) }
}

function finish(recorder: Recorder, planned: readonly PlannedModule[], result: TraceResult): void {
  const { statistics, functionsTraced, untraced, exit, endNs } = result
  recorder.modules(describeModules(planned))
  recorder.finish({
    endNs,
    statistics,
    functionsTraced,
    untraced: untraced.map(({ name, reason }) => ({ name, reason })),
    ...(exit && { exit: 'status' in exit ? `exit status ${exit.status}` : exit.signal }),
  })
}

function describeModules(planned: readonly PlannedModule[]): readonly RecordedModule[] {
  const modules = new Set(planned.map(({ module }) => module))
  const executable = planned[0]?.module
  return [...modules].map((module) => {
    const { buildId } = module.image.facts
    const isExecutable = module === executable
    return { name: module.name, path: module.path, isExecutable, ...(buildId && { buildId }) }
  })
}

/** Those that decide what is in a recording. */
function settingsOf(options: TraceOptions): Readonly<Record<string, unknown>> {
  const { functions, noFunctions, libs, noLibs, nestLibs, exitProbe, placement, randomizeAddresses } = options
  const { maxDepth, timeFilterNs, tidFilter, cpuTime, sampleInterval } = options
  return {
    ...{ functions, noFunctions, libs, noLibs, nestLibs, exitProbe, placement, randomizeAddresses, cpuTime },
    ...(maxDepth !== undefined && { maxDepth }),
    ...(timeFilterNs > 0 && { timeFilterNs }),
    ...(tidFilter.length > 0 && { tidFilter }),
    ...(sampleInterval !== undefined && { sampleInterval }),
  }
}

function describeOrigin(
  options: TraceOptions,
  words: readonly string[],
  { clock, probeCosts }: TraceSession,
): RecordingOrigin {
  const { target } = options
  const { baseNs } = clock
  return {
    utraceVersion: utraceVersion(),
    commandLine: ['record', ...words],
    target: target.kind === 'process' ? { ...target, words: processWords(target.pid) } : target,
    host: hostname(),
    kernel: release(),
    cpuModel: cpus()[0]?.model ?? '',
    cpus: cpus().length,
    clockBaseNs: baseNs,
    realtimeBaseNs: realtimeBase(clock),
    ...(probeCosts && { probeCosts }),
    settings: settingsOf(options),
  }
}
