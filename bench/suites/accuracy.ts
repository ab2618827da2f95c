import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { buildProgram } from '../build.ts'
import { number, table } from '../format.ts'
import { failureOf, NotMeasured, run as runCommand } from '../measure.ts'
import { repository, utrace, withScratch } from '../paths.ts'
import { median } from '../statistics.ts'
import { type Effort, type Suite, wantsRow } from '../suite.ts'

const limitMs = 120_000
/** What the durations of a trace must reach: see issue "Numbers that are true". */
const closeEnough = 0.1
const badRawError = 0.2
const timesCloser = 10

/** By function: how long its median call takes in each run, in nanoseconds. */
type Samples = Map<string, number[]>

interface Mode {
  readonly title: string
  readonly options: readonly string[]
}

/** The two ways in which the end of a call is seen, which cost very different amounts. */
const modes: readonly Mode[] = [
  { title: 'entries emulated, returns hooked', options: [] },
  { title: 'entries emulated, `ret` probed (`--exit-probe ret`)', options: ['--exit-probe', 'ret'] },
]

async function run(effort: Effort): Promise<string> {
  effort.progress('building')
  const flags = ['-O2', '-fno-omit-frame-pointer', '-mno-omit-leaf-frame-pointer', '-fcf-protection=none']
  const program = await buildProgram({ source: 'accuracy.c', flags })
  const sections: string[] = []
  for (const mode of modes) {
    if (!wantsRow(effort, mode.title)) continue
    sections.push(`**${mode.title}**\n\n${await durations(program, mode, effort)}`)
  }
  if (wantsRow(effort, 'waiting')) sections.push(`**waiting, \`--cpu-time\`**\n\n${await waiting(effort)}`)
  return sections.join('\n\n')
}

/** Untraced and traced runs in alternation, so that a machine that changes its pace changes it for both. */
async function durations(program: string, mode: Mode, effort: Effort): Promise<string> {
  const truth: Samples = new Map()
  const compensated: Samples = new Map()
  const raw: Samples = new Map()
  const belowCalls = (name: string) => /^calls_(\d+)_/.exec(name)?.[1] ?? 'leaf'
  await withScratch(async (cwd) => {
    for (let round = 0; round < effort.rounds; round++) {
      effort.progress(`${mode.title}, round ${round + 1} of ${effort.rounds}`)
      const untraced = await finished([program], cwd)
      for (const [name, , ns] of wordsOf(untraced.stdout)) add(truth, name, Number(ns))
      const functions = ['-f', 'leaf_*,calls_*,step', '--no-lib', '*']
      const record = [utrace, 'record', '--cpu-time', ...mode.options, ...functions, '--', program]
      await finished(record, cwd)
      const trace = join(cwd, 'trace.jsonl')
      await finished([utrace, 'replay', '--no-function', 'step', '--format', 'jsonl', '-o', trace], cwd)
      const calls = callsOf(readFileSync(trace, 'utf8'))
      for (const [name, durations] of calls) {
        add(compensated, name, median(durations.map(({ ns }) => ns)))
        add(raw, name, median(durations.map(({ rawNs }) => rawNs)))
      }
      rmSync(trace)
    }
  })
  const lines = [...truth.keys()].map((name) => {
    const trueNs = median(truth.get(name)!)
    const shownNs = median(compensated.get(name) ?? [Number.NaN])
    const rawNs = median(raw.get(name) ?? [Number.NaN])
    const error = Math.abs(shownNs - trueNs) / trueNs
    const rawError = Math.abs(rawNs - trueNs) / trueNs
    const closer = rawError / error
    const holds = error <= closeEnough && (rawError <= badRawError || closer >= timesCloser)
    return [
      name.replace(/.*_/, ''),
      belowCalls(name),
      microseconds(trueNs),
      microseconds(rawNs),
      microseconds(shownNs),
      percent(rawError),
      percent(error),
      holds ? 'yes' : 'no',
    ]
  })
  const header = ['function of', 'calls below', 'truth', 'raw', 'compensated', 'raw error', 'error', 'holds']
  return table(header, lines)
}

/** By function, its calls in a trace: how long they were on a CPU. */
function callsOf(trace: string): Map<string, { ns: number; rawNs: number }[]> {
  const calls = new Map<string, { ns: number; rawNs: number }[]>()
  for (const line of trace.split('\n')) {
    if (!line.startsWith('{"type":"end"')) continue
    const { name, durationNs, rawDurationNs, offCpuNs = 0 } = JSON.parse(line)
    const known = calls.get(name) ?? []
    calls.set(name, known)
    known.push({ ns: durationNs - offCpuNs, rawNs: rawDurationNs - offCpuNs })
  }
  return calls
}

/** How long a program waits: what it says itself, and what the trace of the same run says. */
async function waiting(effort: Effort): Promise<string> {
  const text = readFileSync(join(repository, 'test/targets/waits.c'), 'utf8')
  const program = await buildProgram({ source: { name: 'waits.c', text }, flags: ['-O2'] })
  const truth: Samples = new Map()
  const shown: Samples = new Map()
  const errors: Samples = new Map()
  await withScratch(async (cwd) => {
    for (let round = 0; round < effort.rounds; round++) {
      effort.progress(`waiting, round ${round + 1} of ${effort.rounds}`)
      const functions = ['-f', 'nap,take_lock,read_pipe', '--no-lib', '*']
      const traced = await finished([utrace, 'record', '--cpu-time', ...functions, '--', program], cwd)
      const report = await finished([utrace, 'report', '--format', 'json'], cwd)
      const { rows } = JSON.parse(report.stdout) as { rows: { name: string; offCpuNs: number }[] }
      for (const [name, ns] of wordsOf(traced.stdout)) {
        const trueNs = Number(ns)
        const shownNs = rows.find((row) => row.name === name)?.offCpuNs ?? 0
        add(truth, name, trueNs)
        add(shown, name, shownNs)
        add(errors, name, Math.abs(shownNs - trueNs) / trueNs)
      }
    }
  })
  const lines = [...truth.keys()].map((name) => [
    name,
    microseconds(median(truth.get(name)!)),
    microseconds(median(shown.get(name)!)),
    percent(median(errors.get(name)!)),
  ])
  return table(['function', 'truth', 'off CPU', 'error'], lines)
}

async function finished(command: readonly string[], cwd: string) {
  const done = await runCommand(command, { limitMs, cwd })
  if (done.status !== 0) throw new NotMeasured(`${command.join(' ')}: ${failureOf(done)}`)
  return done
}

const wordsOf = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => line.split(' ') as [string, string, string])

function add(samples: Samples, name: string, ns: number): void {
  const known = samples.get(name)
  if (known === undefined) samples.set(name, [ns])
  else known.push(ns)
}

const microseconds = (ns: number) => `${number(ns / 1000)} us`
const percent = (share: number) => `${number(share * 100)} %`

export const accuracySuite: Suite = {
  name: 'accuracy',
  title: 'How true durations are',
  document: 'docs/accuracy.md',
  run,
}
