import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { count, number, table } from '../format.ts'
import { buildManyFunctions } from '../many-functions.ts'
import { failureOf, NotMeasured, run as runCommand } from '../measure.ts'
import { utrace } from '../paths.ts'
import { phaseMs } from '../phases.ts'
import { median } from '../statistics.ts'
import type { Effort, Suite } from '../suite.ts'

interface Sample {
  readonly planMs: number
  readonly attachMs: number
  readonly detachMs: number
}

async function run(effort: Effort): Promise<string> {
  effort.progress('building')
  const rows = []
  for (const functions of [744, 10_000]) {
    rows.push({ functions, program: await buildManyFunctions(functions), samples: [] as Sample[] })
  }
  for (let round = 0; round < effort.rounds; round++) {
    for (const { functions, program, samples } of rows) {
      effort.progress(`round ${round + 1}: ${functions} functions`)
      samples.push(await measureAttach(program))
    }
  }
  return table(
    ['functions of a running process', 'modules, symbols, plan, calibration', 'attach', 'detach'],
    rows.map(({ functions, samples }) => {
      const ms = (field: keyof Sample) => `${number(median(samples.map((sample) => sample[field])))} ms`
      return [count(functions), ms('planMs'), ms('attachMs'), ms('detachMs')]
    }),
  )
}

/** Attaches to a process that waits for input, and leaves as soon as that is done. */
async function measureAttach(program: string): Promise<Sample> {
  const target = spawn(program, { stdio: ['pipe', 'pipe', 'ignore'] })
  try {
    await once(target.stdout, 'data')
    let interrupted = false
    const finished = await runCommand([utrace, '-d', '-o', '/dev/null', '-p', String(target.pid)], {
      limitMs: 60_000,
      said: (stderr, pid) => {
        if (interrupted || phaseMs(stderr, 'attached') === undefined) return
        interrupted = true
        process.kill(pid, 'SIGINT')
      },
    })
    const between = (first: string, second: string) => {
      const [from, to] = [phaseMs(finished.stderr, first), phaseMs(finished.stderr, second)]
      if (from === undefined || to === undefined) throw new NotMeasured(failureOf(finished))
      return to - from
    }
    return {
      planMs: between('kernel side loaded', 'calibrated'),
      attachMs: between('calibrated', 'attached'),
      detachMs: between('tracing done', 'detached'),
    }
  } finally {
    target.kill('SIGKILL')
  }
}

export const attachSuite: Suite = { name: 'attach', title: 'Attaching and detaching', run }
