import { isatty } from 'node:tty'
import { parseDuration } from '../../base/duration.ts'
import { UsageError } from '../../base/errors.ts'
import { type ExportFormat, type ExportSetting, exportFormats } from '../../export/formats.ts'
import { recordedFacts } from '../../export/recorded-facts.ts'
import { replayInput, withInput } from '../analysis.ts'
import { analysisOptions, readAnalysisOptions } from '../analysis-options.ts'
import type { GivenOptions } from '../given-options.ts'
import type { CommandDescription } from '../help.ts'
import type { OptionDefinition } from '../option-table.ts'
import { withOutput } from '../output.ts'
import { outputOption } from '../report-options.ts'
import { helpOptions, readCommandWords, refuseOperandsBeyond } from '../subcommand.ts'

const formatNames = Object.keys(exportFormats)
const group = 'Output'
const shape = 'Folded stacks, flame graph, call graphs'

const options = [
  ...analysisOptions,
  {
    name: 'to',
    argument: 'FORMAT',
    choices: formatNames,
    group,
    help: `Write FORMAT: ${Object.entries(exportFormats)
      .map(([name, { purpose }]) => `${name} (${purpose})`)
      .join(', ')}`,
  },
  { name: 'format', argument: 'FORMAT', choices: formatNames, group, help: 'The same as --to' },
  outputOption,
  {
    name: 'by',
    argument: 'WHAT',
    choices: ['time', 'calls'],
    group: shape,
    help: 'What a stack weighs: its own time, or its calls (default: time)',
  },
  {
    name: 'merge',
    argument: 'WHAT',
    choices: ['threads'],
    group: shape,
    help: 'Put the calls of all threads together',
  },
  {
    name: 'sample-time',
    argument: 'TIME',
    group: shape,
    help: 'Count samples, one every TIME, such as 1us, instead of nanoseconds',
  },
  { name: 'icicle', group: shape, help: 'Flame graph with the root at the top' },
  {
    name: 'inverted',
    group: shape,
    help: 'Flame graph of the innermost functions, with their callers on them',
  },
  ...helpOptions,
] as const satisfies readonly OptionDefinition[]

type ExportOptionName = (typeof options)[number]['name']

export const description = {
  synopsis: ['export --to FORMAT [OPTION...]'],
  summary: 'Writes a recording in the format of another tool.',
  examples: [
    { purpose: 'a flame graph to open in a browser', run: 'utrace export --to flame-graph -o flame.svg' },
    { purpose: 'for ui.perfetto.dev', run: 'utrace export --to perfetto -o trace.perfetto' },
    { purpose: 'for KCachegrind', run: 'utrace export --to callgrind -o callgrind.out.app' },
    {
      purpose: 'callers and callees of parse(), as a picture',
      run: "utrace export --to dot --callers 'parse' | dot -Tsvg -o calls.svg",
    },
  ],
  options,
  notes: [
    'Every format holds functions, threads, processes and losses of the recording, as remarks where it has no place of ' +
      'their own. folded, flame-graph, pprof, callgrind, dot and mermaid sum calls up; the others hold each call.',
  ],
} satisfies CommandDescription

/** `utrace export`. */
export async function run(words: readonly string[]): Promise<number> {
  const read = readCommandWords<ExportOptionName>(description, words)
  if (read === undefined) return 0
  const { given, operands } = read
  refuseOperandsBeyond(operands, 0)
  const analysis = readAnalysisOptions(given)
  const format = readFormat(given)
  const settings = readSettings(given)
  const path = given.value('output')
  if (path === undefined && format.isBinary && isatty(1)) {
    throw new UsageError('this format is not for terminals: give a file with -o')
  }
  return withInput(analysis, (recording) =>
    withOutput(path, (output) => {
      const write = (chunk: Uint8Array) => output.write(chunk)
      const sink = format.create({ write, facts: recordedFacts(recording), ...settings })
      const result = replayInput(recording, analysis, sink)
      for (const text of [...recording.warnings, ...result.warnings])
        sink.note({ timeNs: result.endNs, text })
      sink.finish()
      return result.warnings.length > 0 ? 1 : 0
    }),
  )
}

/** @throws UsageError where there is none, or an option does not go with it */
function readFormat(given: GivenOptions<ExportOptionName>): ExportFormat {
  const option = given.lastOf('to', 'format')
  if (option === undefined)
    throw new UsageError(`say which format: --to with one of ${formatNames.join(', ')}`)
  const name = given.value(option)!
  const formats: Readonly<Record<string, ExportFormat>> = exportFormats
  const format = formats[name]!
  for (const setting of ['by', 'merge', 'sample-time', 'icicle', 'inverted'] as const) {
    if (!given.has(setting) || format.settings.includes(setting)) continue
    throw new UsageError(`${given.spelling(setting)} does not go with ${name}: it is for ${takers(setting)}`)
  }
  return format
}

function takers(setting: ExportSetting): string {
  const formats: readonly (readonly [string, ExportFormat])[] = Object.entries(exportFormats)
  return formats.flatMap(([name, { settings }]) => (settings.includes(setting) ? [name] : [])).join(' and ')
}

function readSettings(given: GivenOptions<ExportOptionName>) {
  const by = (given.value('by') ?? 'time') as 'time' | 'calls'
  const samplePeriodNs = given.read('sample-time', parseSamplePeriod)
  if (by === 'calls' && samplePeriodNs !== undefined) {
    throw new UsageError('--sample-time counts time: it does not go with --by calls')
  }
  return {
    by,
    samplePeriodNs,
    mergeThreads: given.has('merge'),
    icicle: given.has('icicle'),
    inverted: given.has('inverted'),
  }
}

function parseSamplePeriod(text: string): number {
  const periodNs = parseDuration(text)
  if (periodNs < 1) throw new UsageError('the time between samples is 0: give one such as 1us')
  return periodNs
}
