import { rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { buildProgram } from '../build.ts'
import { count, megabytes, number, table } from '../format.ts'
import { NotMeasured, programTimes, run as runCommand, statusBytes } from '../measure.ts'
import { utrace, withScratch } from '../paths.ts'
import { median } from '../statistics.ts'
import { type Effort, type Suite, wantsRow } from '../suite.ts'
import { utraceSummary } from '../tools.ts'

const flags = ['-O0', '-fcf-protection=none']
const seconds = 20

/** One long run each: nothing lost, or counted exactly; memory flat. */
async function run(effort: Effort): Promise<string> {
  effort.progress('building')
  const leaf = await buildProgram({ source: 'leaf.c', flags })
  const threads = await buildProgram({ source: 'threads.c', flags })
  const duration = effort.quick ? seconds / 10 : seconds
  const amount = String(duration * 600_000)
  const rows = [
    { title: `one thread for ${duration} s, graph`, options: [], command: [leaf, `${duration}s`] },
    {
      title: `one thread for ${duration} s, JSON lines`,
      options: ['--format', 'jsonl'],
      command: [leaf, `${duration}s`],
    },
    { title: `two threads, ${amount} calls, graph`, options: [], command: [threads, amount] },
  ].filter(({ title }) => wantsRow(effort, title))
  const lines = []
  const problems = []
  for (const { title, options, command } of rows) {
    effort.progress(title)
    try {
      lines.push([title, ...(await longRun(options, command))])
    } catch (error) {
      if (!(error instanceof NotMeasured)) throw error
      problems.push(`- **${title}**: no number: ${error.message}`)
    }
  }
  const header = [
    'run',
    'calls',
    'events lost',
    'ns per call',
    'written',
    'memory, first half',
    'second half',
  ]
  return [table(header, lines), ...problems].join('\n\n')
}

async function longRun(options: readonly string[], command: readonly string[]): Promise<string[]> {
  return withScratch(async (scratch) => {
    const trace = join(scratch, 'trace')
    const resident: number[] = []
    const words = [utrace, '-o', trace, ...options, '-f', 'leaf', '--no-lib', '*', '--', ...command]
    const finished = await runCommand(words, {
      limitMs: 300_000,
      watch: (pid) => {
        try {
          resident.push(statusBytes(pid, 'VmRSS'))
        } catch {
          // It has just ended.
        }
      },
    })
    const { calls, elapsedNs } = programTimes(finished)
    const summary = utraceSummary(finished)
    if (summary.calls + summary.lost < calls) {
      throw new NotMeasured(`${calls} calls made, ${summary.calls} seen, ${summary.lost} events lost`)
    }
    const { size } = statSync(trace)
    rmSync(trace)
    const half = resident.length >> 1
    return [
      count(calls),
      count(summary.lost),
      number(elapsedNs / calls),
      megabytes(size),
      megabytes(median(resident.slice(0, Math.max(1, half)))),
      megabytes(median(resident.slice(half))),
    ]
  })
}

export const steadySuite: Suite = { name: 'steady', title: 'Long runs at full speed', run }
