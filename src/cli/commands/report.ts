import { escapeText } from '../../base/escape.ts'
import type { Recording } from '../../recording/recording.ts'
import { type Aggregate, createAggregator, type Grouping } from '../../report/aggregate.ts'
import { noEnds } from '../../report/call-ends.ts'
import { belowTable, footnotes } from '../../report/footnotes.ts'
import { functionKey } from '../../report/function-rows.ts'
import { latencyChart } from '../../report/latency-chart.ts'
import { renderReport } from '../../report/render-report.ts'
import { columnNames } from '../../report/report-columns.ts'
import { distinctLabels, noTaskNames, type TaskNames } from '../../report/subject-label.ts'
import type { TableFormat } from '../../report/table.ts'
import { replayInput, withInput } from '../analysis.ts'
import { matchingKeys } from '../analysis-functions.ts'
import { analysisOptions, readAnalysisOptions } from '../analysis-options.ts'
import type { CommandDescription } from '../help.ts'
import { parseInterleavedWords } from '../interleaved-words.ts'
import type { OptionDefinition } from '../option-table.ts'
import {
  columnParser,
  limitOption,
  readLimit,
  tableFormatOption,
  textOutputOptions,
} from '../report-options.ts'
import { openReportOutput, pageReport } from '../report-output.ts'
import { helpOptions, readCommandWords, refuseOperandsBeyond } from '../subcommand.ts'

const group = 'What to report'

const options = [
  ...analysisOptions,
  {
    name: 'by',
    argument: 'WHAT',
    choices: ['function', 'module', 'thread', 'process'],
    group,
    help: 'One line per function, module, thread or process (default: function)',
  },
  {
    name: 'sort',
    short: ['s'],
    argument: 'COLUMN',
    again: 'add',
    group,
    help: 'Sort by COLUMN, or by several, with commas: the largest first (default: total); name sorts by name',
  },
  {
    name: 'columns',
    argument: 'COLUMN',
    again: 'add',
    group,
    help: `Show these columns, with commas: ${columnNames.join(', ')}`,
  },
  { name: 'avg-self', group, help: 'Add the average time of a call in itself' },
  { name: 'avg-total', group, help: 'Add the average, shortest and longest time of a call' },
  { name: 'percent-self', group, help: 'Add the share of the time in the calls themselves' },
  { name: 'percent-total', group, help: 'Add the share of the time in the calls and all below them' },
  {
    name: 'hist',
    argument: 'PATTERN',
    again: 'add',
    group,
    help: 'Draw how the durations of matching functions are spread',
  },
  tableFormatOption,
  limitOption,
  ...textOutputOptions,
  ...helpOptions,
] as const satisfies readonly OptionDefinition[]

type OptionName = (typeof options)[number]['name']

export const description = {
  synopsis: ['report [OPTION...]'],
  summary: 'Sums up a recording: calls and times by function, module, thread or process.',
  examples: [
    { purpose: 'where the time goes', run: 'utrace report' },
    { purpose: 'what is called most', run: 'utrace report --sort calls --limit 20' },
    { purpose: 'which call of read is slow', run: 'utrace report --hist read' },
    { purpose: 'for a spreadsheet', run: 'utrace report --format csv -o report.csv' },
  ],
  options,
  notes: [
    'TOTAL is the time in which a call of the function was open, thread by thread: calls within calls of the same ' +
      'function count once. SELF leaves out what was spent in calls below. The other columns are of the durations of ' +
      'single calls; percentiles are exact to 0.8 %.',
    'Durations are without the cost of probes, unless --raw-times is given. CPU and OFF CPU are the parts of TOTAL in ' +
      'which the thread ran and in which it did not, of a recording made with --cpu-time.',
    'Calls that did not return count like others: cut ones with their time until the end, inferred and unwound ones ' +
      'with the most they can have taken. They are counted beside the name, and below the table.',
    'JSON and CSV have times in nanoseconds, in fields that end in Ns, and all columns unless --columns says which.',
  ],
} satisfies CommandDescription

export async function run(words: readonly string[]): Promise<number> {
  const read = readCommandWords<OptionName>(description, words, parseInterleavedWords)
  if (read === undefined) return 0
  refuseOperandsBeyond(read.operands, 0)
  const { given } = read
  const analysis = readAnalysisOptions(given)
  const by = (given.value('by') ?? 'function') as Grouping
  const patterns = given.all('hist', [])
  const columns = given.readAll('columns', columnParser(columnNames))
  const shape = {
    format: (given.value('format') ?? 'table') as TableFormat,
    columns: columns.length > 0 ? columns : undefined,
    extraColumns: extraColumns.flatMap(([option, names]) => (given.has(option) ? names : [])),
    sort: given.readAll('sort', columnParser([...columnNames, 'name'])),
    limit: readLimit(given),
  }
  const paged = pageReport(given)
  if (paged !== undefined) return paged
  return withInput(analysis, (recording) => {
    const charted = patterns.length > 0 ? matchingKeys('--hist', patterns, recording) : undefined
    const aggregator = createAggregator(charted === undefined ? by : 'function')
    const { warnings } = replayInput(recording, analysis, aggregator)
    const output = openReportOutput(given)
    const aggregate = aggregator.result()
    output.write(
      charted === undefined
        ? renderReport(aggregate, { ...shape, ...output, names: taskNames(recording) })
        : charts(aggregate, charted, output.color),
    )
    return warnings.length > 0 ? 1 : 0
  })
}

const extraColumns = [
  ['avg-total', ['avg', 'min', 'max']],
  ['avg-self', ['avg-self']],
  ['percent-total', ['percent-total']],
  ['percent-self', ['percent-self']],
] as const

function taskNames({ processes, threads }: Recording): TaskNames {
  const processNames = new Map(processes.map(({ pid, name }) => [pid, name]))
  const threadNames = new Map(threads.map(({ tid, name }) => [tid, name]))
  return {
    // A task that was gone when its name was to be read has an empty one.
    processName: (pid) => processNames.get(pid) || undefined,
    threadName: (tid) => threadNames.get(tid) || undefined,
  }
}

/** One chart per function, that with the most calls first. */
function* charts(
  { summaries, lostEvents, sampleInterval }: Aggregate,
  chartedKeys: ReadonlySet<string>,
  color: boolean,
): Generator<string> {
  const labels = distinctLabels(
    summaries.map(({ subject }) => subject),
    noTaskNames,
  )
  const charted = summaries
    .filter(({ subject }) => subject.by === 'function' && chartedKeys.has(functionKey(subject)))
    .sort((a, b) => b.calls - a.calls)
  if (charted.length === 0) yield 'No call of a matching function.'
  for (const [index, summary] of charted.entries()) {
    if (index > 0) yield ''
    yield* latencyChart(summary, escapeText(labels.get(summary.subject)!), color)
  }
  yield* belowTable(footnotes({ ends: noEnds, lostEvents, sampleInterval }), ' ')
}
