import { megabytes, millions, noValue, table } from '../format.ts'
import { median } from '../statistics.ts'
import { type Effort, type Suite, wantsRow } from '../suite.ts'
import type { PipelineResult, PipelineStage } from '../workers/pipeline.ts'
import { runWorker } from '../workers/worker.ts'

const stages: readonly { readonly stage: PipelineStage; readonly title: string }[] = [
  { stage: 'decode', title: 'decode: ring to events in order' },
  { stage: 'reconstruct', title: 'and reconstruct: events to calls' },
  { stage: 'graph', title: 'and print the graph' },
  { stage: 'flat', title: 'and print flat lines' },
  { stage: 'jsonl', title: 'and print JSON lines' },
]

async function run(effort: Effort): Promise<string> {
  const rows = stages
    .filter(({ stage }) => wantsRow(effort, stage))
    .map((each) => ({ ...each, results: [] as PipelineResult[], peaks: [] as number[] }))
  for (let round = 0; round < effort.rounds; round++) {
    for (const { stage, results, peaks } of rows) {
      effort.progress(`round ${round + 1}: ${stage}`)
      const { result, run: finished } = await runWorker<PipelineResult>('pipeline', [
        stage,
        effort.quick ? '0.5' : '2',
      ])
      results.push(result)
      peaks.push(finished.peakBytes)
    }
  }
  return table(
    ['on one core, from a ring of 16 MB', 'events', 'lines', 'text', 'memory'],
    rows.map(({ title, results, peaks }) => {
      const perSecond = (field: 'events' | 'lines' | 'bytes') =>
        median(results.map((result) => result[field] / result.seconds))
      const prints = perSecond('lines') > 0
      return [
        title,
        millions(perSecond('events')),
        prints ? millions(perSecond('lines')) : noValue,
        prints ? `${megabytes(perSecond('bytes'))}/s` : noValue,
        megabytes(median(peaks)),
      ]
    }),
  )
}

export const pipelineSuite: Suite = { name: 'pipeline', title: 'From the ring to text', run }
