import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { megabytes, number, table } from '../format.ts'
import { buildManyFunctions } from '../many-functions.ts'
import { run as runCommand, statusBytes } from '../measure.ts'
import { utrace } from '../paths.ts'
import type { Effort, Suite } from '../suite.ts'
import { utraceSummary } from '../tools.ts'

/** V8 tidies up after the start, once, when nothing has happened for some seconds. */
const settleMs = 15_000
const ticksPerSecond = 100

interface Reading {
  readonly atMs: number
  readonly cpuMs: number
  readonly residentBytes: number
}

/** What a trace costs while its target sleeps. */
async function run(effort: Effort): Promise<string> {
  effort.progress('building')
  const program = await buildManyFunctions(744)
  const target = spawn(program, { stdio: ['pipe', 'pipe', 'ignore'] })
  try {
    await once(target.stdout, 'data')
    const seconds = effort.quick ? 2 : 10
    effort.progress(`${seconds} s`)
    const readings: Reading[] = []
    const trace = runCommand([utrace, '-p', String(target.pid), '-o', '/dev/null'], {
      limitMs: 60_000,
      watch: (pid) => readings.push(readingOf(pid)),
    })
    await pause(settleMs + seconds * 1000)
    // utrace ends with its target.
    target.kill('SIGKILL')
    utraceSummary(await trace)
    const begin = readings[0]!.atMs + settleMs
    const first = readings.find(({ atMs }) => atMs >= begin)!
    // Later ones may see it detach, or gone.
    const last = readings.filter(({ residentBytes }) => residentBytes > 0).at(-2)!
    const share = (last.cpuMs - first.cpuMs) / (last.atMs - first.atMs)
    return table(
      ['utrace attached to a sleeping process', 'seconds', 'CPU', 'memory'],
      [
        [
          '744 functions',
          number((last.atMs - first.atMs) / 1000),
          `${number(share * 100)} % of a core`,
          megabytes(last.residentBytes),
        ],
      ],
    )
  } finally {
    target.kill('SIGKILL')
  }
}

/** User and system time of a process: fields 14 and 15 of proc_pid_stat(5). */
function readingOf(pid: number): Reading {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return {
    atMs: performance.now(),
    cpuMs: ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond,
    residentBytes: statusBytes(pid, 'VmRSS'),
  }
}

export const idleSuite: Suite = { name: 'idle', title: 'Attached to an idle process', run }
