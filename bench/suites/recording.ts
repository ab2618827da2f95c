import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { buildProgram } from '../build.ts'
import { count, megabytes, milliseconds, noValue, number, table } from '../format.ts'
import { failureOf, NotMeasured, programTimes, run as runCommand } from '../measure.ts'
import { utrace, withScratch } from '../paths.ts'
import { median } from '../statistics.ts'
import { type Effort, type Suite, wantsRow } from '../suite.ts'

/** A tool that records, and what is asked of a recording, in the same order for each. */
interface Recorder {
  readonly name: string
  readonly flags: readonly string[]
  record(program: readonly string[]): readonly string[]
  readonly analyses: Readonly<Record<AnalysisName, readonly string[]>>
}

type AnalysisName = 'report' | 'graph' | 'folded' | 'replay'
const analysisNames: readonly AnalysisName[] = ['report', 'graph', 'folded', 'replay']
const plain = ['-O0', '-fcf-protection=none']

/** Both use their own default file in the current folder. */
const recorders: readonly Recorder[] = [
  {
    name: 'utrace',
    flags: plain,
    record: (program) => [utrace, 'record', '-f', 'fib', '--no-lib', '*', '--', ...program],
    analyses: {
      report: [utrace, 'report'],
      graph: [utrace, 'graph'],
      folded: [utrace, 'export', '--to', 'folded', '-o', '/dev/null'],
      replay: [utrace, 'replay', '-o', '/dev/null'],
    },
  },
  {
    name: 'uftrace',
    flags: [...plain, '-pg'],
    record: (program) => ['uftrace', 'record', '--no-libcall', '--no-event', ...program],
    analyses: {
      report: ['uftrace', 'report', '--no-pager'],
      graph: ['uftrace', 'graph', '--no-pager'],
      folded: ['uftrace', 'dump', '--flame-graph'],
      replay: ['sh', '-c', 'exec uftrace replay --no-pager >/dev/null'],
    },
  },
]

const limitMs = 600_000

async function run(effort: Effort): Promise<string> {
  const sizes = effort.quick ? [100_000] : [1_000_000, 10_000_000, 50_000_000]
  const lines: string[][] = []
  const problems: string[] = []
  for (const calls of sizes) {
    for (const recorder of recorders.filter(({ name }) => wantsRow(effort, name))) {
      try {
        lines.push(await measureRecorder(recorder, calls, effort))
      } catch (error) {
        if (!(error instanceof NotMeasured)) throw error
        problems.push(`- **${recorder.name}, ${count(calls)} calls**: no number: ${error.message}`)
      }
    }
  }
  const header = ['recording', 'calls', 'bytes per call', ...analysisNames, 'most memory']
  return [table(header, lines), ...problems].join('\n\n')
}

/** Records once, then asks everything of the recording, in alternation. */
async function measureRecorder(recorder: Recorder, amount: number, effort: Effort): Promise<string[]> {
  const program = await buildProgram({ source: 'fib.c', flags: recorder.flags })
  return withScratch(async (cwd) => {
    effort.progress(`${recorder.name} records ${count(amount)} calls`)
    const finished = await runCommand(recorder.record([program, String(amount)]), { limitMs, cwd })
    const { calls } = programTimes(finished)
    const bytes = folderBytes(cwd)
    const times = new Map(analysisNames.map((name) => [name, [] as number[]]))
    let peak = 0
    for (let round = 0; round < effort.rounds; round++) {
      for (const name of analysisNames) {
        effort.progress(`${recorder.name}, ${count(amount)} calls, round ${round + 1}: ${name}`)
        const analysis = await runCommand(recorder.analyses[name], { limitMs, cwd })
        if (analysis.status !== 0) throw new NotMeasured(`${name}: ${failureOf(analysis)}`)
        times.get(name)!.push(analysis.exitedNs - analysis.spawnedNs)
        peak = Math.max(peak, analysis.peakBytes)
      }
    }
    return [
      recorder.name,
      count(calls),
      number(bytes / calls),
      ...analysisNames.map((name) => milliseconds(median(times.get(name)!))),
      peak > 0 ? megabytes(peak) : noValue,
    ]
  })
}

function folderBytes(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.path, entry.name)).size, 0)
}

export const recordingSuite: Suite = {
  name: 'recording',
  title: 'Recordings: size and analysis',
  run,
}
