import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildProgram } from '../build.ts'
import { count, megabytes, noValue, number, table } from '../format.ts'
import { failureOf, NotMeasured, programTimes, run as runCommand } from '../measure.ts'
import { buildFolder, utrace, withScratch } from '../paths.ts'
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
      folded: ['sh', '-c', 'exec uftrace dump --flame-graph >/dev/null'],
      replay: ['sh', '-c', 'exec uftrace replay --no-pager >/dev/null'],
    },
  },
]

const limitMs = 900_000

async function run(effort: Effort): Promise<string> {
  const sizes = effort.quick ? [100_000] : [1_000_000, 10_000_000, 50_000_000]
  const rows: string[][] = []
  const problems: string[] = []
  for (const calls of sizes) {
    const tools = recorders.filter(({ name }) => wantsRow(effort, `${name}, ${calls / 1e6}M calls`))
    rows.push(
      ...(await withRecordings(effort, (folder) => measureSize(tools, calls, folder, effort, problems))),
    )
  }
  const header = ['recording', 'calls', 'bytes per call', ...analysisNames, 'most memory']
  return `Seconds, and in brackets those of processor time: medians of ${effort.rounds} rounds.\n\n${[table(header, rows), ...problems].join('\n\n')}`
}

/** Recording takes ten times as long as everything else: with `--reuse` it is done once. */
function withRecordings(effort: Effort, use: (folder: string) => Promise<string[][]>): Promise<string[][]> {
  return effort.reuse ? use(join(buildFolder, 'recordings')) : withScratch(use)
}

interface Recorded {
  readonly recorder: Recorder
  readonly folder: string
  readonly calls: number
  readonly bytes: number
}

/** Records with each tool, then asks everything of the recordings, in alternation. */
async function measureSize(
  tools: readonly Recorder[],
  amount: number,
  parent: string,
  effort: Effort,
  problems: string[],
): Promise<string[][]> {
  const recordings: Recorded[] = []
  for (const recorder of tools) {
    try {
      recordings.push(await makeRecording(recorder, amount, parent, effort))
    } catch (error) {
      if (!(error instanceof NotMeasured)) throw error
      problems.push(`- **${recorder.name}, ${count(amount)} calls**: no number: ${error.message}`)
    }
  }
  const samples = new Map(recordings.map((each) => [each, new Samples()]))
  for (let round = 0; round < effort.rounds; round++) {
    for (const name of analysisNames) {
      for (const [{ recorder, folder }, taken] of samples) {
        effort.progress(`${count(amount)} calls, round ${round + 1}: ${recorder.name} ${name}`)
        await taken.measure(name, recorder.analyses[name], folder)
      }
    }
  }
  return [...samples].map(([{ recorder, calls, bytes }, taken]) => [
    recorder.name,
    count(calls),
    number(bytes / calls),
    ...analysisNames.map((name) => taken.text(name)),
    taken.peakBytes > 0 ? megabytes(taken.peakBytes) : noValue,
  ])
}

async function makeRecording(
  recorder: Recorder,
  amount: number,
  parent: string,
  effort: Effort,
): Promise<Recorded> {
  const folder = join(parent, `${recorder.name}-${amount}`)
  const factsPath = `${folder}.json`
  if (!existsSync(factsPath)) {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    const program = await buildProgram({ source: 'fib.c', flags: recorder.flags })
    effort.progress(`${recorder.name} records ${count(amount)} calls`)
    const command = recorder.record([program, String(amount)])
    const { calls } = programTimes(await runCommand(command, { limitMs, cwd: folder }))
    writeFileSync(factsPath, JSON.stringify({ calls }))
  }
  const { calls } = JSON.parse(readFileSync(factsPath, 'utf8'))
  return { recorder, folder, calls, bytes: folderBytes(folder) }
}

/** What the analyses of one recording have taken. */
class Samples {
  readonly #wallNs = new Map<AnalysisName, number[]>()
  readonly #cpuSeconds = new Map<AnalysisName, number[]>()
  peakBytes = 0

  async measure(name: AnalysisName, command: readonly string[], cwd: string): Promise<void> {
    const timed = ['bash', '-c', 'TIMEFORMAT="bench cpu %U %S"; time "$@"', 'bash', ...command]
    const run = await runCommand(timed, { limitMs, cwd })
    const cpu = /^bench cpu (\S+) (\S+)$/m.exec(run.stderr)
    if (run.status !== 0 || cpu === null) throw new NotMeasured(`${name}: ${failureOf(run)}`)
    this.#wallNs.set(name, [...(this.#wallNs.get(name) ?? []), run.exitedNs - run.spawnedNs])
    this.#cpuSeconds.set(name, [...(this.#cpuSeconds.get(name) ?? []), Number(cpu[1]) + Number(cpu[2])])
    this.peakBytes = Math.max(this.peakBytes, run.peakBytes)
  }

  /** `1.52 (1.40)` */
  text(name: AnalysisName): string {
    return `${number(median(this.#wallNs.get(name)!) / 1e9)} (${number(median(this.#cpuSeconds.get(name)!))})`
  }
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
