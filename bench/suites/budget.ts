import { buildProgram } from '../build.ts'
import { count, number, ratio, table } from '../format.ts'
import { programTimes, run as runCommand } from '../measure.ts'
import { utrace } from '../paths.ts'
import { median } from '../statistics.ts'
import type { Effort, Suite } from '../suite.ts'
import { utraceSummary } from '../tools.ts'

const rows = [
  { name: 'native', options: undefined },
  { name: 'utrace', options: [] },
  { name: 'utrace --budget 5%', options: ['--budget', '5%'] },
] as const

/** A program whose hot leaf makes up nearly all calls, after its first half second. */
async function run(effort: Effort): Promise<string> {
  effort.progress('building')
  const program = await buildProgram({ source: 'budget.c', flags: ['-O2', '-fcf-protection=none'] })
  const seconds = effort.quick ? '2' : '4'
  const samples = rows.map(() => ({ ns: [] as number[], cpuNs: [] as number[], calls: [] as number[] }))
  for (let round = 0; round < effort.rounds; round++) {
    for (const [index, { name, options }] of rows.entries()) {
      effort.progress(`round ${round + 1}: ${name}`)
      const own = options === undefined ? [] : [utrace, '-o', '/dev/null', '--no-lib', '*', ...options, '--']
      const finished = await runCommand([...own, program, seconds], { limitMs: 120_000 })
      const { elapsedNs, cpuNs, calls } = programTimes(finished)
      samples[index]!.ns.push(elapsedNs / calls)
      samples[index]!.cpuNs.push(cpuNs / calls)
      samples[index]!.calls.push(options === undefined ? 0 : utraceSummary(finished).calls)
    }
  }
  const native = samples[0]!
  const lines = rows.map(({ name }, index) => {
    const { ns, cpuNs, calls } = samples[index]!
    return [
      name,
      number(median(ns) / 1000),
      ratio(median(ns) / median(native.ns)),
      number(median(cpuNs) / 1000),
      ratio(median(cpuNs) / median(native.cpuNs)),
      count(median(calls)),
    ]
  })
  return table(['run', 'µs per turn', 'to native', 'CPU µs', 'to native', 'calls seen'], lines)
}

export const budgetSuite: Suite = { name: 'budget', title: 'A hot leaf, within a budget', run }
