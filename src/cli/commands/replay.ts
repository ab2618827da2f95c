import { UsageError } from '../../base/errors.ts'
import { quoteText } from '../../base/escape.ts'
import type { Recording, ReplayResult } from '../../recording/recording.ts'
import { type ColumnName, columnNames } from '../../sink/columns.ts'
import { createFlatSink } from '../../sink/flat.ts'
import { createGraphSink } from '../../sink/graph.ts'
import { createJsonLinesSink } from '../../sink/jsonl.ts'
import type { OutputSink } from '../../sink/output-sink.ts'
import { countReasons, summaryLine } from '../../sink/summary.ts'
import { replayInput, withInput } from '../analysis.ts'
import { analysisOptions, readAnalysisOptions } from '../analysis-options.ts'
import type { GivenOptions } from '../given-options.ts'
import type { OptionDefinition } from '../option-table.ts'
import { type Output, printLine, wantsColor, withOutput } from '../output.ts'
import { isPaged, runInPager, wantsPager } from '../pager.ts'
import { textOutputOptions } from '../report-options.ts'
import { type ClockName, clockHelp, clockNames, shownClock } from '../shown-clock.ts'
import { helpOptions, readCommandWords, refuseOperandsBeyond } from '../subcommand.ts'

const group = 'Output'

const options = [
  ...analysisOptions,
  {
    name: 'format',
    argument: 'FORMAT',
    choices: ['graph', 'flat', 'jsonl'],
    group,
    help: 'Call graph, one line per event, or JSON lines (default: graph)',
  },
  { name: 'flat', group, help: 'The same as --format=flat' },
  {
    name: 'columns',
    argument: 'LIST',
    group,
    help: `What stands left of each line, of ${columnNames.join(', ')} (default: duration; for flat: none)`,
  },
  { name: 'cpuid', group, help: 'Display the CPU' },
  { name: 'tid', group, help: 'Display the thread ID' },
  { name: 'timestamp', group, help: 'Display the time of each line' },
  { name: 'clock', argument: 'CLOCK', choices: clockNames, group, help: clockHelp },
  { name: 'libname', group, help: 'Append the library to function names: puts@libc.so.6' },
  ...textOutputOptions,
  ...helpOptions,
] as const satisfies readonly OptionDefinition[]

type ReplayOptionName = (typeof options)[number]['name']

export const description = {
  synopsis: ['replay [OPTION...]'],
  summary: 'Prints a recording as if the program ran now.',
  examples: [
    { purpose: 'the whole trace', run: 'utrace replay' },
    {
      purpose: 'what parse() did in the second half',
      run: "utrace replay --under 'parse' --time-range 50%~",
    },
    { purpose: 'with other columns', run: 'utrace replay --columns elapsed,duration,self,module' },
  ],
  options,
  notes: [],
}

/** `utrace replay`. */
export async function run(words: readonly string[]): Promise<number> {
  const read = readCommandWords<ReplayOptionName>(description, words)
  if (read === undefined) return 0
  const { given, operands } = read
  refuseOperandsBeyond(operands, 0)
  const analysis = readAnalysisOptions(given)
  const path = given.value('output')
  const columns = given.read('columns', parseColumns)
  if (path === undefined && !given.has('no-pager') && wantsPager(1)) return runInPager()
  return withInput(analysis, (recording) =>
    withOutput(path, (output) => {
      const sink = createFormat(given, columns, recording, output)
      const result = replayInput(recording, analysis, sink)
      sink.finish()
      if (!isPaged()) printSummary(recording, result)
      return result.warnings.length > 0 ? 1 : 0
    }),
  )
}

function parseColumns(text: string): readonly ColumnName[] {
  return text.split(',').map((word) => {
    const name = columnNames.find((known) => known === word.trim())
    if (name === undefined) {
      throw new UsageError(`${quoteText(word)} is no column: there are ${columnNames.join(', ')}`)
    }
    return name
  })
}

function createFormat(
  given: GivenOptions<ReplayOptionName>,
  columns: readonly ColumnName[] | undefined,
  recording: Recording,
  output: Output,
): OutputSink {
  const { origin } = recording
  const name = (given.value('clock') ?? 'monotonic') as ClockName
  const clock = shownClock(name, recording.clock, () => origin.realtimeBaseNs)
  const write = (chunk: Uint8Array) => output.write(chunk)
  const isFlat = given.lastOf('format', 'flat') === 'flat' || given.value('format') === 'flat'
  if (!isFlat && given.value('format') === 'jsonl') return createJsonLinesSink({ write, clock })
  const when = (given.value('color') ?? 'auto') as 'auto' | 'always' | 'never'
  const table = {
    write,
    clock,
    cpu: given.has('cpuid'),
    tid: given.has('tid'),
    timestamp: given.has('timestamp'),
    libname: given.has('libname'),
    color: when === 'auto' && isPaged() ? !process.env.NO_COLOR : wantsColor(when, output.fd),
    ...(columns && { columns }),
  }
  return isFlat ? createFlatSink(table) : createGraphSink(table)
}

function printSummary({ end }: Recording, { statistics }: ReplayResult): void {
  const notTraced = countReasons(end?.untraced ?? [])
  const { calls, estimatedCalls, threads, lostEvents, openCalls } = statistics
  const functionsTraced = end?.functionsTraced ?? 0
  printLine(
    summaryLine({
      calls,
      estimatedCalls,
      threads,
      lostEvents,
      functionsTraced,
      notTraced,
      openAtEnd: openCalls,
    }),
  )
}
