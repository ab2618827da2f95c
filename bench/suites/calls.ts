import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { buildFloor, buildProgram, type Recipe } from '../build.ts'
import { count, megabytes, milliseconds, noValue, number, ratio, spread, table } from '../format.ts'
import { NotMeasured, programTimes, run } from '../measure.ts'
import { withScratch } from '../paths.ts'
import { median, pairedRatio, summarize } from '../statistics.ts'
import { type Effort, type Suite, wantsRow } from '../suite.ts'
import { floor, type Job, native, type Tool, type TracedFunctions } from '../tools.ts'

/** A program, and the tools that are measured on it. */
export interface CallSuite {
  readonly name: string
  readonly title: string
  readonly recipe: Recipe
  /** Calls, or what the program takes for its argument. */
  readonly amount: number
  readonly functionsOf: (program: string) => TracedFunctions | Promise<TracedFunctions>
  /** Calls per unit of `amount`, of programs that cannot know. */
  readonly callsPerUnit?: (job: Job) => Promise<number>
  readonly tools: readonly Tool[]
  readonly remarks?: string
}

interface Sample {
  readonly elapsedNs: number
  readonly cpuNs: number
  readonly calls: number
  readonly attachNs: number
  readonly detachNs: number
  readonly peakBytes: number
  readonly lost: number | undefined
}

/** A tool on a program: its samples, one per round, or why there are none. */
interface Row {
  readonly tool: Tool
  readonly program: string
  readonly samples: Sample[]
  failure: string | undefined
}

const limitMs = 120_000

/** Runs the tools on the program in alternation, round by round. */
export function callSuite(definition: CallSuite): Suite {
  const { name, title } = definition
  return { name, title, run: (effort) => withScratch((scratch) => runSuite(definition, effort, scratch)) }
}

async function runSuite(definition: CallSuite, effort: Effort, scratch: string): Promise<string> {
  const { recipe, remarks } = definition
  effort.progress('building')
  const floorPath = await buildFloor()
  const tools = definition.tools.filter(
    (tool) => tool === native || tool === floor || wantsRow(effort, tool.name),
  )
  const rows: Row[] = []
  for (const tool of tools) {
    const flags = tool.variant === 'pg' ? [...recipe.flags, '-pg'] : recipe.flags
    rows.push({ tool, program: await buildProgram({ ...recipe, flags }), samples: [], failure: undefined })
  }
  const functions = await definition.functionsOf(rows[0]!.program)
  const jobOf = ({ program, tool }: Row): Job => ({
    program,
    amount: Math.max(1, Math.round(definition.amount * (tool.share ?? 1) * (effort.quick ? 0.1 : 1))),
    functions,
    scratch: join(scratch, 'files'),
    floor: floorPath,
  })
  const callsPerUnit = await definition.callsPerUnit?.({ ...jobOf(rows[0]!), scratch })
  for (let round = 0; round < effort.rounds; round++) {
    for (const row of rows) {
      if (row.failure !== undefined || round >= (row.tool.rounds ?? effort.rounds)) continue
      effort.progress(`round ${round + 1}: ${row.tool.name}`)
      try {
        row.samples.push(await sample(row.tool, jobOf(row), callsPerUnit))
      } catch (error) {
        if (!(error instanceof NotMeasured)) throw error
        row.failure = error.message
      }
    }
  }
  return [renderRows(rows), failures(rows), remarks].filter(Boolean).join('\n\n')
}

async function sample(tool: Tool, job: Job, callsPerUnit: number | undefined): Promise<Sample> {
  rmSync(job.scratch, { recursive: true, force: true })
  mkdirSync(job.scratch)
  const result = await run(tool.command(job), {
    limitMs,
    target: job.program,
    cwd: job.scratch,
    ...(tool.environment && { environment: tool.environment }),
  })
  const times = programTimes(result)
  const calls = callsPerUnit === undefined ? times.calls : callsPerUnit * job.amount
  return {
    elapsedNs: times.elapsedNs,
    cpuNs: times.cpuNs,
    calls,
    attachNs: times.startedNs - result.spawnedNs,
    detachNs: result.exitedNs - times.endedNs,
    peakBytes: result.peakBytes,
    lost: tool.lost?.(job, result, calls),
  }
}

const header = [
  'tool',
  'ns per call',
  'spread',
  'to the floor',
  'CPU ns',
  'to the floor',
  'slow-down',
  'events lost',
  'memory',
  'to start',
  'to end',
  'rounds',
]

/** What a call costs is what the tool adds to it. */
function renderRows(rows: readonly Row[]): string {
  const nativeRow = rows.find(({ tool }) => tool === native)!
  const floorRow = rows.find(({ tool }) => tool === floor)
  const perCall = (row: Row, field: 'elapsedNs' | 'cpuNs') =>
    row.samples.map((each) => each[field] / each.calls)
  const cost = (row: Row, field: 'elapsedNs' | 'cpuNs') => {
    const nativeNs = row === nativeRow ? 0 : median(perCall(nativeRow, field))
    return perCall(row, field).map((ns) => ns - nativeNs)
  }
  const toFloor = (row: Row, field: 'elapsedNs' | 'cpuNs') =>
    row === nativeRow || floorRow === undefined || floorRow.samples.length === 0
      ? noValue
      : ratio(pairedRatio(cost(row, field), cost(floorRow, field)))
  const slowDown = (row: Row) =>
    row === nativeRow
      ? noValue
      : ratio(median(perCall(row, 'elapsedNs')) / median(perCall(nativeRow, 'elapsedNs')))
  const measured = rows.filter(({ samples }) => samples.length > 0)
  const cells = (row: Row) => {
    const elapsed = summarize(cost(row, 'elapsedNs'))
    const of = (field: 'attachNs' | 'detachNs' | 'peakBytes') =>
      median(row.samples.map((each) => each[field]))
    return [
      row.tool.name,
      number(elapsed.median),
      spread(elapsed),
      toFloor(row, 'elapsedNs'),
      number(median(cost(row, 'cpuNs'))),
      toFloor(row, 'cpuNs'),
      slowDown(row),
      lostText(row),
      of('peakBytes') > 0 ? megabytes(of('peakBytes')) : noValue,
      milliseconds(of('attachNs')),
      milliseconds(of('detachNs')),
      String(row.samples.length),
    ]
  }
  return table(header, measured.map(cells))
}

/** The worst of the rounds. */
function lostText({ tool, samples }: Row): string {
  const lost = samples.map((each) => each.lost).filter((value) => value !== undefined)
  return tool === floor || lost.length === 0 ? noValue : count(Math.max(...lost))
}

function failures(rows: readonly Row[]): string {
  return rows
    .filter(({ failure }) => failure !== undefined)
    .map(({ tool, failure }) => `- **${tool.name}**: no number: ${failure}`)
    .join('\n')
}
