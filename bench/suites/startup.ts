import { closeSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { buildProgram } from '../build.ts'
import { count, milliseconds, noValue, number, table } from '../format.ts'
import { failureOf, NotMeasured, type Run, run as runCommand } from '../measure.ts'
import { utrace, withScratch } from '../paths.ts'
import { phaseMs } from '../phases.ts'
import { median } from '../statistics.ts'
import { type Effort, type Suite, wantsRow } from '../suite.ts'
import { utraceSummary } from '../tools.ts'
import type { SymbolsResult } from '../workers/symbols.ts'
import { runWorker } from '../workers/worker.ts'

const glob = 'v8::internal::Heap::*'

interface Row {
  readonly title: string
  readonly command: readonly string[]
  /** Where its JSON lines go, if it is a trace. */
  readonly trace?: string
  readonly totals: number[]
  readonly attached: number[]
  readonly firstEvents: number[]
  calls?: number
  failure?: string
}

async function run(effort: Effort): Promise<string> {
  effort.progress('building')
  const leaf = await buildProgram({ source: 'leaf.c', flags: ['-O0', '-fcf-protection=none'] })
  return withScratch(async (scratch) => {
    const trace = join(scratch, 'trace.jsonl')
    const traced = (title: string, options: readonly string[]): Row => ({
      title,
      command: [utrace, '-d', '--format', 'jsonl', '-o', trace, ...options],
      trace,
      totals: [],
      attached: [],
      firstEvents: [],
    })
    const plain = (title: string, ...command: readonly string[]): Row => ({
      title,
      command,
      totals: [],
      attached: [],
      firstEvents: [],
    })
    const rows = [
      plain('true', 'true'),
      plain('node -e 0', process.execPath, '-e', '0'),
      plain('uftrace --version', 'uftrace', '--version'),
      plain('utrace --version', utrace, '--version'),
      plain('utrace -o /dev/null -c true', utrace, '-o', '/dev/null', '-c', 'true'),
      traced('utrace -f leaf -- leaf 1', ['-f', 'leaf', '--', leaf, '1']),
      traced(`utrace -f '${glob}' -c "node -e 0"`, ['-f', glob, '-c', `${process.execPath} -e 0`]),
    ].filter(({ title }) => wantsRow(effort, title))
    for (let round = 0; round < effort.rounds; round++) {
      for (const row of rows) {
        if (row.failure !== undefined) continue
        effort.progress(`round ${round + 1}: ${row.title}`)
        try {
          await sample(row)
        } catch (error) {
          if (!(error instanceof NotMeasured)) throw error
          row.failure = error.message
        }
      }
    }
    const times = table(
      ['command', 'attached after', 'first event after', 'in all', 'calls'],
      rows.map(({ title, totals, attached, firstEvents, calls }) => [
        title,
        medianText(attached),
        medianText(firstEvents),
        medianText(totals),
        calls === undefined ? noValue : count(calls),
      ]),
    )
    const failures = rows.flatMap(({ title, failure }) =>
      failure === undefined ? [] : [`- **${title}**: no number: ${failure}`],
    )
    return [times, ...failures, await symbols(effort)].join('\n\n')
  })
}

const medianText = (samples: readonly number[]) =>
  samples.length > 0 ? milliseconds(median(samples)) : noValue

/** @throws NotMeasured */
async function sample(row: Row): Promise<void> {
  const finished = await runCommand(row.command, { limitMs: 60_000 })
  if (finished.status !== 0) throw new NotMeasured(failureOf(finished))
  row.totals.push(finished.exitedNs - finished.spawnedNs)
  if (row.trace === undefined) return
  row.firstEvents.push(firstEventNs(row.trace, finished) - finished.spawnedNs)
  row.attached.push((phaseMs(finished.stderr, 'attached') ?? Number.NaN) * 1e6)
  row.calls = utraceSummary(finished).calls
}

/** When the first call of a trace began, by CLOCK_MONOTONIC. @throws NotMeasured if it is empty */
function firstEventNs(path: string, finished: Run): number {
  const bytes = Buffer.alloc(256)
  const file = openSync(path, 'r')
  try {
    readSync(file, bytes)
  } finally {
    closeSync(file)
  }
  const time = /"tsNs":(\d+)/.exec(bytes.toString('latin1'))?.[1]
  if (time === undefined) throw new NotMeasured(`no call was traced: ${finished.stderr}`)
  return Number(time)
}

async function symbols(effort: Effort): Promise<string> {
  const results: SymbolsResult[] = []
  for (let round = 0; round < effort.rounds; round++) {
    effort.progress(`round ${round + 1}: symbols of node`)
    results.push((await runWorker<SymbolsResult>('symbols', [process.execPath])).result)
  }
  const ms = (field: keyof SymbolsResult) => `${number(median(results.map((result) => result[field])))} ms`
  return table(
    ['symbols of `node`', 'functions', 'read', 'demangle all', 'unwind table'],
    [['', count(results[0]!.functions), ms('symbolsMs'), ms('demangleMs'), ms('unwindMs')]],
  )
}

export const startupSuite: Suite = { name: 'startup', title: 'Start-up', run }
