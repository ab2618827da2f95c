import { createCallTreeBuilder } from '../../report/build-call-tree.ts'
import { renderGraph } from '../../report/render-graph.ts'
import { replayInput, withInput } from '../analysis.ts'
import { matchingKeys } from '../analysis-functions.ts'
import { analysisOptions, readAnalysisOptions } from '../analysis-options.ts'
import type { CommandDescription } from '../help.ts'
import { parseInterleavedWords } from '../interleaved-words.ts'
import type { OptionDefinition } from '../option-table.ts'
import { parseCount, parsePercent, textOutputOptions } from '../report-options.ts'
import { openReportOutput, pageReport } from '../report-output.ts'
import { helpOptions, readCommandWords, refuseOperandsBeyond } from '../subcommand.ts'

const group = 'What to show'
const defaultLevels = 64

const options = [
  ...analysisOptions,
  { name: 'fold', group, help: 'Show a function that calls itself once, with all its calls' },
  {
    name: 'levels',
    argument: 'COUNT',
    group,
    help: `Show at most COUNT levels, and how much lies below (default: ${defaultLevels})`,
  },
  {
    name: 'min-percent',
    argument: 'PERCENT',
    group,
    help: 'Sum up what has less than PERCENT of the time (default: 0)',
  },
  {
    name: 'format',
    argument: 'FORMAT',
    choices: ['tree', 'json'],
    group: 'Output',
    help: 'How to write it (default: tree)',
  },
  ...textOutputOptions,
  ...helpOptions,
] as const satisfies readonly OptionDefinition[]

type OptionName = (typeof options)[number]['name']

export const description = {
  synopsis: ['graph [OPTION...] [FUNCTION]'],
  summary:
    'Merges the calls of a recording into one tree: calls and times for each path. With FUNCTION: who calls it, and ' +
    'what it calls.',
  examples: [
    { purpose: 'the whole tree, without what hardly counts', run: 'utrace graph --min-percent 1' },
    { purpose: 'who calls malloc, and how often', run: 'utrace graph malloc' },
    { purpose: 'a recursive function as one node', run: 'utrace graph --fold fib' },
  ],
  options,
  notes: [
    'FUNCTION is a PATTERN, as for -f. TOTAL is the time in which a call on this path was open, SELF leaves out what ' +
      'was spent in the calls below, and percentages are of the time in all traced calls.',
    'A recursive function has a node for each level of its recursion, unless --fold is given.',
  ],
} satisfies CommandDescription

export async function run(words: readonly string[]): Promise<number> {
  const read = readCommandWords<OptionName>(description, words, parseInterleavedWords)
  if (read === undefined) return 0
  refuseOperandsBeyond(read.operands, 1)
  const { given, operands } = read
  const analysis = readAnalysisOptions(given)
  const shape = {
    format: given.value('format') === 'json' ? 'json' : 'tree',
    levels: given.read('levels', parseCount) ?? defaultLevels,
    minPercent: given.read('min-percent', parsePercent) ?? 0,
  } as const
  const paged = pageReport(given)
  if (paged !== undefined) return paged
  return withInput(analysis, (recording) => {
    const functions = operands.length > 0 ? matchingKeys('graph', operands, recording) : undefined
    const builder = createCallTreeBuilder({ fold: given.has('fold') })
    const { warnings } = replayInput(recording, analysis, builder)
    const output = openReportOutput(given)
    output.write(renderGraph(builder.result(), { ...shape, functions, color: output.color }))
    return warnings.length > 0 ? 1 : 0
  })
}
