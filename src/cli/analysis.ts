import { UserError } from '../base/errors.ts'
import { escapeText, quoteText } from '../base/escape.ts'
import { compileGlobs, type GlobSet, matchesName } from '../base/glob.ts'
import { nearestMatch } from '../base/nearest.ts'
import { asDurationNs, asTraceNs, type TraceNs } from '../base/units.ts'
import { bareName } from '../elf/bare-name.ts'
import { openRecording } from '../recording/open.ts'
import type { Recording, ReplayOptions, ReplayResult } from '../recording/recording.ts'
import { replayRecording } from '../recording/replay.ts'
import type { TracedFunction, TraceSink } from '../trace/call.ts'
import { withMaxDepth, withProcessFilter, withThreadFilter, withTimeFilter } from '../trace/filters.ts'
import {
  type FunctionPredicate,
  perFunctionOnce,
  withCallersOf,
  withShownFunctions,
  withSubtrees,
} from '../trace/select.ts'
import type { AnalysisOptions, RangeBound } from './analysis-options.ts'
import { printLine } from './output.ts'

/**
 * Opens the recording that the options name, prints its warnings, and closes it after its use.
 * @throws UserError
 */
export function withInput<Result>(options: AnalysisOptions, use: (recording: Recording) => Result): Result {
  const recording = openRecording(options.input)
  try {
    printWarnings(recording, recording.warnings)
    return use(recording)
  } finally {
    recording.close()
  }
}

/** Replays what the options ask for of a recording into a sink, and prints what turns out to be damaged. */
export function replayInput(recording: Recording, options: AnalysisOptions, sink: TraceSink): ReplayResult {
  const filtered = createAnalysisFilter(options, recording, sink)
  const result = replayRecording(recording, filtered, {
    ...timeRangeOf(options, recording),
    rawTimes: options.rawTimes,
  })
  printWarnings(recording, result.warnings)
  return result
}

function printWarnings(recording: Recording, warnings: readonly string[]): void {
  for (const warning of warnings) printLine(`utrace: ${escapeText(recording.path)}: ${warning}`)
}

/**
 * Wraps a sink into the filters of an analysis, but for the time range, which `replayRecording` takes.
 * @throws UserError where a pattern or process matches nothing in the recording
 */
function createAnalysisFilter(options: AnalysisOptions, recording: Recording, sink: TraceSink): TraceSink {
  let filtered = sink
  if (options.maxDepth !== undefined) filtered = withMaxDepth(filtered, options.maxDepth)
  const minNs = asDurationNs(Math.max(options.timeFilterNs, recordedMinNs(recording)))
  if (minNs > 0) filtered = withTimeFilter(filtered, minNs)
  const shown = shownFunctions(options, recording)
  if (shown !== undefined) filtered = withShownFunctions(filtered, perFunctionOnce(shown))
  if (options.callers.length > 0) {
    filtered = withCallersOf(filtered, matching('--callers', options.callers, recording))
  }
  if (options.under.length > 0) {
    filtered = withSubtrees(filtered, matching('--under', options.under, recording))
  }
  if (options.tids.length > 0) filtered = withThreadFilter(filtered, new Set(options.tids))
  if (options.processes.length > 0) filtered = withProcessFilter(filtered, processIds(options, recording))
  return filtered
}

/** A recording that was filtered by time has a few more calls than were asked for: see `EventFilter`. */
function recordedMinNs({ origin }: Recording): number {
  const { timeFilterNs } = origin.settings
  return typeof timeFilterNs === 'number' ? timeFilterNs : 0
}

/** @returns undefined where all are shown */
function shownFunctions(options: AnalysisOptions, recording: Recording): FunctionPredicate | undefined {
  const functions = compileGlobs(options.functions)
  const noFunctions = compileGlobs([...options.noFunctions, ...options.hide])
  const libs = compileGlobs(options.libs)
  const noLibs = compileGlobs(options.noLibs)
  if (isEverything(functions) && isEverything(libs) && isNothing(noFunctions) && isNothing(noLibs)) {
    return undefined
  }
  const executables = new Set(
    recording.modules.filter((module) => module.isExecutable).map(({ name }) => name),
  )
  return (fn) => {
    const inLibrary = fn.kind === 'library-call' || !executables.has(fn.module)
    if (inLibrary && noLibs.matches(fn.module)) return false
    if (fn.kind === 'library-call' && !libs.matches(fn.module)) return false
    return matchesFunction(functions, fn) && !matchesFunction(noFunctions, fn)
  }
}

const isEverything = ({ patterns }: GlobSet) => patterns.size === 1 && patterns.has('*')
const isNothing = ({ patterns }: GlobSet) => patterns.size === 0

/** @throws UserError that names the nearest function, where none matches */
export function matching(option: string, lists: readonly string[], recording: Recording): FunctionPredicate {
  const globs = compileGlobs(lists)
  const matches = perFunctionOnce((fn) => matchesFunction(globs, fn))
  if (!recording.functions.some(({ fn }) => matches(fn))) {
    const names = recording.functions.map(({ fn }) => fn.name)
    const nearest = nearestMatch(lists.join(','), names)
    const hint = nearest === undefined ? '' : `: did you mean ${escapeText(nearest)}?`
    throw new UserError(
      `${option}: no function in ${recording.path} matches ${quoteText(lists.join(','))}${hint}`,
    )
  }
  return matches
}

function matchesFunction(globs: GlobSet, { name, symbol }: TracedFunction): boolean {
  return matchesName(globs, {
    name,
    symbol,
    get bareName() {
      return bareName(name)
    },
  })
}

/** The ids of the processes that go by these ids or names. @throws UserError where there is none */
function processIds(options: AnalysisOptions, recording: Recording): ReadonlySet<number> {
  return new Set(
    options.processes.flatMap((wanted) => {
      const found = recording.processes.filter(({ pid, name }) => String(pid) === wanted || name === wanted)
      if (found.length > 0) return found.map(({ pid }) => pid)
      const known = recording.processes.map(({ pid, name }) => `${pid} (${escapeText(name)})`).join(', ')
      throw new UserError(
        `--process: no process ${quoteText(wanted)} in ${recording.path}: it has ${known || 'none'}`,
      )
    }),
  )
}

function timeRangeOf({ timeRange }: AnalysisOptions, recording: Recording): ReplayOptions {
  if (timeRange === undefined) return {}
  const from = boundTime(timeRange.start, recording)
  const to = boundTime(timeRange.stop, recording)
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
}

function boundTime(bound: RangeBound, { firstNs, lastNs }: Recording): TraceNs | undefined {
  if (bound === undefined) return undefined
  if (bound.kind === 'elapsed') return asTraceNs(firstNs + bound.ns)
  return asTraceNs(firstNs + Math.round(((lastNs - firstNs) * bound.percent) / 100))
}
