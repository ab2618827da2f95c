import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { buildFloor, buildProgram, type Recipe } from '../build.ts'
import { count, megabytes, milliseconds, noValue, number, ratio, spread, table } from '../format.ts'
import { NotMeasured, programTimes, type Run, run } from '../measure.ts'
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
    calls,
    attachNs: times.startedNs - result.spawnedNs,
    detachNs: result.exitedNs - times.endedNs,
    peakBytes: result.peakBytes,
    lost: lostEvents(tool, job, result, calls),
  }
}

function lostEvents(tool: Tool, job: Job, result: Run, calls: number): number | undefined {
  return tool.lost?.(job, result, calls)
}

const header = [
  'tool',
  'ns per call',
  'spread',
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
  const nativeRow = rows.find(({ tool }) => tool === native)
  const nativeNs = median(nativeRow!.samples.map(({ elapsedNs, calls }) => elapsedNs / calls))
  const costs = (row: Row) => row.samples.map(({ elapsedNs, calls }) => elapsedNs / calls - nativeNs)
  const floorRow = rows.find(({ tool }) => tool === floor)
  const floorCosts = floorRow === undefined ? [] : costs(floorRow)
  return table(
    header,
    rows
      .filter(({ samples }) => samples.length > 0)
      .map((row) => {
        const perCall = row.samples.map(({ elapsedNs, calls }) => elapsedNs / calls)
        const cost = summarize(row.tool === native ? perCall : costs(row))
        const of = (field: 'attachNs' | 'detachNs' | 'peakBytes') =>
          median(row.samples.map((each) => each[field]))
        const lost = row.samples.map((each) => each.lost).filter((value) => value !== undefined)
        const isTool = row.tool !== native
        return [
          row.tool.name,
          number(cost.median),
          spread(cost),
          isTool && floorCosts.length > 0 ? ratio(pairedRatio(costs(row), floorCosts)) : noValue,
          isTool ? ratio(median(perCall) / nativeNs) : noValue,
          isTool && row.tool !== floor && lost.length > 0 ? count(Math.max(...lost)) : noValue,
          isTool && of('peakBytes') > 0 ? megabytes(of('peakBytes')) : noValue,
          milliseconds(of('attachNs')),
          milliseconds(of('detachNs')),
          String(row.samples.length),
        ]
      }),
  )
}

function failures(rows: readonly Row[]): string {
  return rows
    .filter(({ failure }) => failure !== undefined)
    .map(({ tool, failure }) => `- **${tool.name}**: no number: ${failure}`)
    .join('\n')
}
