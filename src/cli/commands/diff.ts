import { parseDuration } from '../../base/duration.ts'
import { UsageError } from '../../base/errors.ts'
import { escapeText } from '../../base/escape.ts'
import { type Aggregate, createAggregator } from '../../report/aggregate.ts'
import { type GrowthLimit, grownBeyond } from '../../report/diff.ts'
import { diffAggregates, isComparable, type LabelledChange, renderDiff } from '../../report/render-diff.ts'
import { columnNames } from '../../report/report-columns.ts'
import type { TableFormat } from '../../report/table.ts'
import { replayInput, withInput } from '../analysis.ts'
import { type AnalysisOptions, analysisOptions, readAnalysisOptions } from '../analysis-options.ts'
import type { CommandDescription } from '../help.ts'
import { parseInterleavedWords } from '../interleaved-words.ts'
import type { OptionDefinition } from '../option-table.ts'
import { printLine } from '../output.ts'
import {
  columnParser,
  limitOption,
  parsePercent,
  readLimit,
  tableFormatOption,
  textOutputOptions,
} from '../report-options.ts'
import { openReportOutput, pageReport } from '../report-output.ts'
import { helpOptions, readCommandWords, refuseOperandsBeyond } from '../subcommand.ts'

const group = 'What to compare'
const comparable = columnNames.filter(isComparable)

const options = [
  ...analysisOptions.filter(isForBoth),
  {
    name: 'by',
    argument: 'WHAT',
    choices: ['function', 'module'],
    group,
    help: 'Compare functions or modules (default: function)',
  },
  {
    name: 'columns',
    argument: 'COLUMN',
    again: 'add',
    group,
    help: `Compare these, with commas: ${comparable.join(', ')}`,
  },
  {
    name: 'sort',
    short: ['s'],
    argument: 'COLUMN',
    group,
    help: 'Sort by the change of COLUMN, the largest first (default: total)',
  },
  {
    name: 'fail-above',
    argument: 'PERCENT',
    group: 'Checking',
    help: 'Exit with status 1 if the total time of anything grew by more than PERCENT, such as 10%',
  },
  {
    name: 'min-change',
    argument: 'TIME',
    group: 'Checking',
    help: 'Growth of up to TIME is noise, whatever its percentage (default: 0)',
  },
  tableFormatOption,
  limitOption,
  ...textOutputOptions,
  ...helpOptions,
] as const satisfies readonly OptionDefinition[]

type AnalysisOption = (typeof analysisOptions)[number]

/** The recordings are given as they are. */
function isForBoth(option: AnalysisOption): option is Exclude<AnalysisOption, { readonly name: 'input' }> {
  return option.name !== 'input'
}

type OptionName = (typeof options)[number]['name']

export const description = {
  synopsis: ['diff [OPTION...] A B'],
  summary:
    'Compares two recordings: calls and times on both sides, what changed most first. A is what there was before, B ' +
    'what there is now.',
  examples: [
    { purpose: 'what got slower', run: 'utrace diff before.data after.data' },
    {
      purpose: 'in CI: fail if a function takes 10% more time, and at least a millisecond more',
      run: 'utrace diff --fail-above 10% --min-change 1ms before.data after.data',
    },
    { purpose: 'one line per function', run: 'utrace diff --columns total before.data after.data' },
  ],
  options,
  notes: [
    'A function is the same in both if its name, symbol and module are, or its name and symbol where only one function ' +
      'has them. One that is only in B is new: with --fail-above it has grown without bounds. Filters apply to both.',
    'The columns are those of utrace report. Exit status: 1 also if --fail-above finds something, with a line on ' +
      'stderr that says what.',
  ],
} satisfies CommandDescription

export async function run(words: readonly string[]): Promise<number> {
  const read = readCommandWords<OptionName>(description, words, parseInterleavedWords)
  if (read === undefined) return 0
  const { given, operands } = read
  const [pathA, pathB] = operands
  if (pathA === undefined || pathB === undefined) {
    throw new UsageError('two recordings are needed: utrace diff A B')
  }
  refuseOperandsBeyond(operands, 2)
  if (given.has('min-change') && !given.has('fail-above')) {
    throw new UsageError('--min-change needs --fail-above: it says which growth does not count')
  }
  const filters = readAnalysisOptions(given)
  const by = given.value('by') === 'module' ? 'module' : 'function'
  const parseColumn = columnParser(comparable)
  const columns = given.readAll('columns', parseColumn)
  const sort = given.read('sort', parseColumn) ?? 'total'
  const abovePercent = given.read('fail-above', parsePercent)
  const minChangeNs = given.read('min-change', parseDuration) ?? 0
  const shape = {
    format: (given.value('format') ?? 'table') as TableFormat,
    columns: columns.length > 0 ? columns : undefined,
    limit: readLimit(given),
  }
  // A pager has an exit status of its own.
  const paged = abovePercent === undefined ? pageReport(given) : undefined
  if (paged !== undefined) return paged
  const a = aggregateOf({ ...filters, input: pathA }, by)
  const b = aggregateOf({ ...filters, input: pathB }, by)
  const output = openReportOutput(given)
  const diff = diffAggregates(a, b, sort)
  output.write(renderDiff(diff, { ...shape, color: output.color }))
  if (abovePercent === undefined) return 0
  return checkGrowth(diff.changes, { abovePercent, minChangeNs })
}

function aggregateOf(options: AnalysisOptions, by: 'function' | 'module'): Aggregate {
  return withInput(options, (recording) => {
    const aggregator = createAggregator(by)
    replayInput(recording, options, aggregator)
    return aggregator.result()
  })
}

const namedAtMost = 5

/** @returns the exit status */
function checkGrowth(changes: readonly LabelledChange[], limit: GrowthLimit): number {
  const grown = grownBeyond(changes, limit)
  if (grown.length === 0) return 0
  const names = grown.slice(0, namedAtMost).map(({ label, a, b }) => {
    const percent = a === undefined ? 'new' : `+${((100 * (b!.totalNs - a.totalNs)) / a.totalNs).toFixed(2)}%`
    return `${escapeText(label)} (${percent})`
  })
  const more = grown.length - names.length
  const list = [...names, ...(more > 0 ? [`${more} more`] : [])].join(', ')
  printLine(`utrace: grew by more than ${limit.abovePercent}%: ${list}`)
  return 1
}
