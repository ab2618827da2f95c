import { parseArgs } from 'node:util'
import { copyBpfObject } from './build.ts'
import { writeSection } from './document.ts'
import { describeMachine } from './machine.ts'
import { NotMeasured } from './measure.ts'
import type { Effort, Suite } from './suite.ts'
import { accuracySuite } from './suites/accuracy.ts'
import { attachSuite } from './suites/attach.ts'
import { budgetSuite } from './suites/budget.ts'
import { idleSuite } from './suites/idle.ts'
import { pipelineSuite } from './suites/pipeline.ts'
import { programSuites } from './suites/programs.ts'
import { recordingSuite } from './suites/recording.ts'
import { startupSuite } from './suites/startup.ts'
import { steadySuite } from './suites/steady.ts'

const usage = `npm run bench -- [NAME…] [OPTIONS]

Measures the suites whose names contain one of the given ones (default: all).

  --quick         a smoke run: two rounds, a tenth of the work
  --rounds N      samples per row (default 5)
  --row PART      only rows whose name contains PART, besides native and floor; may repeat
  --reuse         take recordings from the last run with it, if there are, and keep them in bench/build
  --write         put the results into docs/performance.md, those of accuracy into docs/accuracy.md
  --list          print the names of the suites
`

const suites: readonly Suite[] = [
  ...programSuites,
  startupSuite,
  attachSuite,
  pipelineSuite,
  steadySuite,
  idleSuite,
  budgetSuite,
  recordingSuite,
  accuracySuite,
]

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      row: { type: 'string', multiple: true, default: [] },
      reuse: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return print(usage)
  if (values.list) return print(suites.map(({ name, title }) => `${name.padEnd(12)} ${title}\n`).join(''))
  const exact = suites.filter(({ name }) => positionals.includes(name))
  const chosen =
    positionals.length === 0
      ? suites
      : suites.filter(
          (suite) =>
            exact.includes(suite) || positionals.some((part) => !isName(part) && suite.name.includes(part)),
        )
  if (chosen.length === 0) throw new Error(`no suite is called ${positionals.join(', ')}: see --list`)
  const rounds = Number(values.rounds ?? (values.quick ? 2 : 5))
  copyBpfObject()
  print(`${describeMachine().join('\n')}\n`)
  for (const suite of chosen) {
    const effort: Effort = {
      quick: values.quick,
      rounds,
      rows: values.row,
      reuse: values.reuse,
      progress: (text) => process.stderr.write(`  ${suite.name}: ${text}\n`),
    }
    const body = await runSuite(suite, effort)
    print(`\n### ${suite.title}\n\n${body}\n`)
    if (values.write)
      writeSection(
        suite,
        body,
        `npm run bench -- ${suite.name}${values.quick ? ' --quick' : ''} --rounds ${rounds}`,
      )
  }
  return 0
}

/** A suite that cannot run says why in its place. */
async function runSuite(suite: Suite, effort: Effort): Promise<string> {
  try {
    return await suite.run(effort)
  } catch (error) {
    if (!(error instanceof NotMeasured)) throw error
    return `No numbers: ${error.message}`
  }
}

/** An exact name chooses one suite, though it may be part of another's. */
const isName = (part: string) => suites.some(({ name }) => name === part)

function print(text: string): 0 {
  process.stdout.write(text)
  return 0
}

process.exitCode = await main()
