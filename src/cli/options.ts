import { parseDuration } from '../base/duration.ts'
import { UsageError } from '../base/errors.ts'
import { quoteText } from '../base/escape.ts'
import { asPid, asTid, type DurationNs, type Pid, type Tid } from '../base/units.ts'
import { GivenOptions } from './given-options.ts'
import { parseOptionWords } from './option-parser.ts'
import { type TraceOptionName, traceOptions } from './option-table.ts'
import {
  notEmpty,
  parseBudget,
  parseBufferSize,
  parseCalls,
  parseCommand,
  parseDepth,
  parseSample,
  parseTaskId,
} from './option-values.ts'
import type { ClockName } from './shown-clock.ts'

/** What the command line asks for. */
export type Invocation =
  | { readonly kind: 'help' | 'usage' | 'version' }
  /** Trace, or only print which probes a trace would use. */
  | { readonly kind: 'trace' | 'plan'; readonly options: TraceOptions }

export type TraceTarget =
  /** A program to start: its name or path, and its arguments. At least one word, the first not empty. */
  | { readonly kind: 'command'; readonly words: readonly string[] }
  | { readonly kind: 'process'; readonly pid: Pid }

export type OutputFormat = 'graph' | 'flat' | 'jsonl'

export interface TraceOptions {
  readonly target: TraceTarget
  /** Glob lists as given, for `compileGlobs`. */
  readonly functions: readonly string[]
  readonly noFunctions: readonly string[]
  readonly libs: readonly string[]
  readonly noLibs: readonly string[]
  readonly nestLibs: readonly string[]
  /** Levels shown, from 1; undefined: all. A call is shown when its 0-based depth is below this. */
  readonly maxDepth: number | undefined
  /** Calls that took less are hidden; 0 hides none. */
  readonly timeFilterNs: DurationNs
  /** Durations are shown as measured. */
  readonly rawTimes: boolean
  /** The time off CPU is traced, too. */
  readonly cpuTime: boolean
  /** Threads shown; empty: all. */
  readonly tidFilter: readonly Tid[]
  readonly columns: { readonly cpu: boolean; readonly tid: boolean; readonly timestamp: boolean }
  readonly clock: ClockName
  readonly libname: boolean
  readonly format: OutputFormat
  readonly color: 'auto' | 'always' | 'never'
  /** Path of the file that the trace goes to; undefined: stderr. */
  readonly output: string | undefined
  /** Name or id of the user to run the command as. Never with a running process. */
  readonly user: string | undefined
  readonly randomizeAddresses: boolean
  /** Trace child processes too. */
  readonly followForks: boolean
  readonly debug: boolean
  readonly exitProbe: 'auto' | 'return' | 'ret'
  readonly placement: 'auto' | 'entry'
  /** Size of the ring buffer of each CPU in bytes: a power of two, at least a page. Undefined: by the number of CPUs. */
  readonly bufferBytes: number | undefined
  /** Whether the target waits rather than that an event is lost. */
  readonly lossless: boolean
  /** Tracing ends after so many calls, after this time; undefined: when the target ends. */
  readonly maxCalls: number | undefined
  readonly duration: DurationNs | undefined
  /** One call in so many is drawn, and traced with the calls below it; undefined: all are traced. */
  readonly sampleInterval: number | undefined
  /** The share of the time that probes may take, of 1; undefined: as much as they need. */
  readonly budget: number | undefined
  /** Glob lists: calls that begin and end what is traced. */
  readonly startAt: readonly string[]
  readonly stopAt: readonly string[]
}

/**
 * Reads the command line: the words after `utrace`.
 * @throws UsageError whose message is one line that names the option, what is wrong and what to do
 */
export function parseArguments(words: readonly string[]): Invocation {
  const { options, operands } = parseOptionWords<TraceOptionName>(traceOptions, words)
  const last = options.at(-1)?.name
  if (last === 'help' || last === 'usage' || last === 'version') return { kind: last }

  const given = new GivenOptions(options)
  return { kind: given.has('plan') ? 'plan' : 'trace', options: readTraceOptions(given, operands) }
}

/** What the options of a trace, and the words after them, ask for. @throws UsageError */
export function readTraceOptions(
  given: GivenOptions<TraceOptionName>,
  operands: readonly string[],
): TraceOptions {
  const target = readTarget(given, operands)
  if (target.kind === 'process') refuseForRunningProcess(given)
  if (given.has('sample') && given.has('budget')) {
    throw new UsageError(
      '--sample and --budget exclude each other: what calls cost that are not in the sample is not counted',
    )
  }
  return {
    target,
    functions: given.all('function', ['*']),
    noFunctions: given.all('no-function', []),
    libs: given.all('lib', ['*']),
    noLibs: given.all('no-lib', []),
    nestLibs: given.all('nest-lib', []),
    maxDepth: given.read('max-depth', parseDepth),
    timeFilterNs: given.read('time-filter', parseDuration) ?? (0 as DurationNs),
    rawTimes: given.has('raw-times'),
    cpuTime: given.has('cpu-time'),
    tidFilter: given.readAll('tid-filter', (text) => asTid(parseTaskId(text, 'thread'))),
    columns: { cpu: given.has('cpuid'), tid: given.has('tid'), timestamp: given.has('timestamp') },
    clock: choice(given, 'clock') ?? 'monotonic',
    libname: given.has('libname'),
    format: given.lastOf('format', 'flat') === 'flat' ? 'flat' : (choice(given, 'format') ?? 'graph'),
    color: choice(given, 'color') ?? 'auto',
    output: given.read('output', (path) => notEmpty(path, 'a file')),
    user: given.read('user', (user) => notEmpty(user, 'a user name')),
    randomizeAddresses: !given.has('no-randomize-addr'),
    followForks:
      given.lastOf('follow-fork', 'no-follow-fork') === undefined
        ? target.kind === 'command'
        : given.lastOf('follow-fork', 'no-follow-fork') === 'follow-fork',
    debug: given.has('debug'),
    exitProbe: choice(given, 'exit-probe') ?? 'auto',
    placement: choice(given, 'placement') ?? 'auto',
    bufferBytes: given.read('buffer', parseBufferSize),
    lossless: given.has('lossless'),
    maxCalls: given.read('max-calls', parseCalls),
    duration: given.read('duration', parseDuration),
    sampleInterval: given.read('sample', parseSample),
    budget: given.read('budget', parseBudget),
    startAt: given.all('start-at', []),
    stopAt: given.all('stop-at', []),
  }
}

/** There is exactly one thing to trace. */
function readTarget(given: GivenOptions<TraceOptionName>, operands: readonly string[]): TraceTarget {
  const named = [given.spelling('command'), given.spelling('pid')].filter(
    (spelling) => spelling !== undefined,
  )
  if (operands.length > 0) named.push(`the program ${quoteText(operands[0]!)}`)
  if (named.length > 1) {
    throw new UsageError(`${named.join(' and ')} exclude each other: give one thing to trace`)
  }
  const target =
    given.read('command', (command): TraceTarget => ({ kind: 'command', words: parseCommand(command) })) ??
    given.read('pid', (pid): TraceTarget => ({ kind: 'process', pid: asPid(parseTaskId(pid, 'process')) }))
  if (target !== undefined) return target
  if (operands.length === 0) {
    throw new UsageError(
      'nothing to trace: give -c "COMMAND ARGS...", -p PID or -- PROGRAM ARGS... (run \'utrace --help\' for examples)',
    )
  }
  if (operands[0] === '') throw new UsageError('the name of the program is empty')
  return { kind: 'command', words: operands }
}

function refuseForRunningProcess(given: GivenOptions<TraceOptionName>): void {
  const pid = given.spelling('pid')
  const user = given.spelling('user')
  if (user !== undefined) {
    throw new UsageError(`${user} does not go with ${pid}: a running process keeps its user`)
  }
  if (given.has('no-randomize-addr')) {
    throw new UsageError(`--no-randomize-addr does not go with ${pid}: a running process keeps its addresses`)
  }
}

/** The value of an option with choices: the parser has checked it. */
function choice<Name extends ChoiceName>(
  given: GivenOptions<TraceOptionName>,
  name: Name,
): ChoiceOf<Name> | undefined {
  return given.value(name) as ChoiceOf<Name> | undefined
}

type ChoiceDefinition = Extract<(typeof traceOptions)[number], { readonly choices: readonly string[] }>
type ChoiceName = ChoiceDefinition['name']
type ChoiceOf<Name> = Extract<ChoiceDefinition, { readonly name: Name }>['choices'][number]
