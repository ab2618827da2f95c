import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Case } from './cases/case.ts'
import { groups } from './cases/index.ts'
import { argumentsFor, buildTarget, executableOf } from './support/build.ts'
import { type Outcome, run } from './support/process.ts'
import { splitStderr, utrace } from './support/utrace.ts'

// Programs whose tracer is killed by SIGKILL at a random moment: they end as they would have without it.
//
// The moments follow from a seed, which every failure tells: UTRACE_KILL_SEED repeats them, UTRACE_KILL_ROUNDS tries more.
const seed = process.env.UTRACE_KILL_SEED ?? String(Date.now())
const rounds = Number(process.env.UTRACE_KILL_ROUNDS ?? 2)

/** Each program once. */
const cases = Object.values(groups)
  .flat()
  .filter(({ name }) => /, \w+ -O2$/.test(name))

/** A number from 0 to 1 that depends on the seed, the program and the round, not on the order of the tests. */
function random(name: string, round: number): number {
  const hash = createHash('sha256').update(`${seed} ${name} ${round}`).digest()
  return hash.readUInt32LE(0) / 2 ** 32
}

/** See killer.c: the target had ended before the tracer was killed. */
const outlived = 251

const killer = buildTarget({ source: '../killer/killer.c', flags: ['-O1'], plainOnly: true })

interface Killed extends Outcome {
  /** How long the tracer lived with its target; undefined if it was killed. */
  readonly wholeUs: number | undefined
}

async function runKilled(test: Case, delayUs: number): Promise<Killed> {
  const { plain, name } = await buildTarget(test.build)
  const { plain: killerFolder, name: killerName } = await killer
  const traced = [
    utrace,
    '-o',
    '/dev/null',
    ...(test.options ?? []),
    '--',
    executableOf(plain, name),
    ...argumentsFor(test.args, plain),
  ]
  const words = [String(Math.round(delayUs)), name, ...traced]
  const input = { timeoutMs: 60_000, ...(test.input !== undefined && { input: test.input }) }
  const outcome = await run(join(killerFolder, killerName), words, input)
  const [told, wholeUs] = /^killer: (\d+) us\n/m.exec(outcome.stderr) ?? ['', undefined]
  const stderr = splitStderr(outcome.stderr.replace(told, '')).target
  return { ...outcome, stderr, wholeUs: wholeUs === undefined ? undefined : Number(wholeUs) }
}

async function check(test: Case): Promise<void> {
  const { plain, name } = await buildTarget(test.build)
  const input = test.input === undefined ? {} : { input: test.input }
  const { status, stdout, stderr } = await run(
    executableOf(plain, name),
    argumentsFor(test.args, plain),
    input,
  )
  const { wholeUs } = await runKilled(test, 60_000_000)
  expect(wholeUs, 'the time that the tracer takes if it is not killed').toBeGreaterThan(0)
  for (let round = 0; round < rounds; round++) {
    const delayUs = Math.round(wholeUs! * random(test.name, round))
    const killed = await runKilled(test, delayUs)
    const ended = killed.status === outlived ? status : killed.status
    expect(
      { timedOut: killed.timedOut, status: ended, stdout: killed.stdout, stderr: killed.stderr },
      `tracer killed ${delayUs} µs after the start, of ${wholeUs}; UTRACE_KILL_SEED=${seed}, round ${round}`,
    ).toEqual({ timedOut: false, status, stdout, stderr })
  }
}

describe(`utrace is killed at random moments, UTRACE_KILL_SEED=${seed}`, () => {
  it.concurrent.each(cases.map((test) => [test.name, test] as const))('%s', (_name, test) => check(test))
})
