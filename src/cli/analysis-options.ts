import { parseDuration } from '../base/duration.ts'
import { UsageError } from '../base/errors.ts'
import { quoteText } from '../base/escape.ts'
import { asTid, type DurationNs, type Tid } from '../base/units.ts'
import type { GivenOptions } from './given-options.ts'
import type { OptionDefinition } from './option-table.ts'
import { notEmpty, parseDepth, parseTaskId } from './option-values.ts'

export const defaultRecordingPath = 'utrace.data'

const group = 'What to analyse'

/** Which recording, and what of it: the same for every command that reads one. */
export const analysisOptions = [
  {
    name: 'input',
    short: ['i'],
    argument: 'FILE',
    group,
    help: `Read the recording FILE (default: ${defaultRecordingPath})`,
  },
  {
    name: 'function',
    short: ['f'],
    argument: 'PATTERN',
    again: 'add',
    group,
    help: 'Only functions matching PATTERN (default "*")',
  },
  { name: 'no-function', argument: 'PATTERN', again: 'add', group, help: 'No functions matching PATTERN' },
  {
    name: 'lib',
    short: ['l'],
    argument: 'PATTERN',
    again: 'add',
    group,
    help: 'Only library calls to libraries matching PATTERN (default "*")',
  },
  {
    name: 'no-lib',
    argument: 'PATTERN',
    again: 'add',
    group,
    help: 'No calls to, and nothing inside, libraries matching PATTERN',
  },
  {
    name: 'max-depth',
    argument: 'DEPTH',
    group,
    help: 'No calls nested deeper than DEPTH; outermost calls have depth 1',
  },
  { name: 'time-filter', argument: 'TIME', group, help: 'No calls that took less than TIME, such as 5us' },
  { name: 'tid-filter', argument: 'TID', again: 'add', group, help: 'Only the thread TID' },
  { name: 'raw-times', group, help: 'Durations as measured, with the cost of the probes in them' },
  {
    name: 'process',
    argument: 'PROCESS',
    again: 'add',
    group,
    help: 'Only the process with this id or name',
  },
  {
    name: 'time-range',
    argument: 'START~STOP',
    group,
    help: 'Only this part: times since the first event (1.5s~2s) or percentages (10%~20%); either may be left out',
  },
  {
    name: 'under',
    argument: 'PATTERN',
    again: 'add',
    group,
    help: 'Only calls of matching functions, and all below them',
  },
  {
    name: 'hide',
    argument: 'PATTERN',
    again: 'add',
    group,
    help: 'Leave matching functions out; what they call stays',
  },
  {
    name: 'callers',
    argument: 'PATTERN',
    again: 'add',
    group,
    help: 'Only calls of matching functions, and the calls that lead to them',
  },
] as const satisfies readonly OptionDefinition[]

export type AnalysisOptionName = (typeof analysisOptions)[number]['name']

/** One side of `--time-range`; undefined: open. */
export type RangeBound =
  | { readonly kind: 'elapsed'; readonly ns: DurationNs }
  | { readonly kind: 'percent'; readonly percent: number }
  | undefined

export interface AnalysisOptions {
  readonly input: string
  /** Glob lists as given, for `compileGlobs`. */
  readonly functions: readonly string[]
  readonly noFunctions: readonly string[]
  readonly libs: readonly string[]
  readonly noLibs: readonly string[]
  /** Levels shown, from 1; undefined: all. */
  readonly maxDepth: number | undefined
  /** 0 hides none. */
  readonly timeFilterNs: DurationNs
  /** Durations as measured. */
  readonly rawTimes: boolean
  /** Empty: all. */
  readonly tids: readonly Tid[]
  /** Ids or names; empty: all. */
  readonly processes: readonly string[]
  readonly timeRange: { readonly start: RangeBound; readonly stop: RangeBound } | undefined
  /** Empty: everything. */
  readonly under: readonly string[]
  readonly hide: readonly string[]
  readonly callers: readonly string[]
}

/** @throws UsageError */
export function readAnalysisOptions<Other extends string>(
  given: GivenOptions<AnalysisOptionName | Other>,
): AnalysisOptions {
  return {
    input: given.read('input', (path) => notEmpty(path, 'a recording')) ?? defaultRecordingPath,
    functions: given.all('function', ['*']),
    noFunctions: given.all('no-function', []),
    libs: given.all('lib', ['*']),
    noLibs: given.all('no-lib', []),
    maxDepth: given.read('max-depth', parseDepth),
    timeFilterNs: given.read('time-filter', parseDuration) ?? (0 as DurationNs),
    rawTimes: given.has('raw-times'),
    tids: given.readAll('tid-filter', (text) => asTid(parseTaskId(text, 'thread'))),
    processes: given.readAll('process', (text) => notEmpty(text, 'a process id or name')),
    timeRange: given.read('time-range', parseTimeRange),
    under: given.all('under', []),
    hide: given.all('hide', []),
    callers: given.all('callers', []),
  }
}

function parseTimeRange(text: string): { start: RangeBound; stop: RangeBound } {
  const [start, stop, ...more] = text.split('~')
  if (start === undefined || stop === undefined || more.length > 0 || text === '~') {
    throw new UsageError(`${quoteText(text)} is not a range: give START~STOP, such as 1.5s~2s or 10%~20%`)
  }
  return { start: parseBound(start), stop: parseBound(stop) }
}

function parseBound(text: string): RangeBound {
  if (text.trim() === '') return undefined
  const percent = /^(\d{1,3}(?:\.\d+)?)%$/.exec(text.trim())
  if (percent === null) return { kind: 'elapsed', ns: parseDuration(text) }
  if (Number(percent[1]) > 100) throw new UsageError(`${quoteText(text)} is more than 100%`)
  return { kind: 'percent', percent: Number(percent[1]) }
}
