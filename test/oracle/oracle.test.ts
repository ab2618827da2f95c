import { existsSync } from 'node:fs'
import { expect, it } from 'vitest'
import { type Build, buildTarget, executableOf } from '../support/build.ts'
import { run } from '../support/process.ts'
import type { BeginOrEnd } from '../support/trace.ts'
import { temporaryFile } from '../support/utrace.ts'
import { compareWithOracle, trueTrees } from './compare.ts'

async function withTruth<T>(
  build: Build,
  use: (built: Awaited<ReturnType<typeof buildTarget>>, log: string) => T,
) {
  const built = await buildTarget(build)
  const log = temporaryFile('.oracle')
  try {
    await run(executableOf(built.instrumented, built.name), [], {
      env: { ...process.env, ORACLE_LOG: log.path },
    })
    expect(existsSync(log.path)).toBe(true)
    return use(built, log.path)
  } finally {
    log.remove()
  }
}

const setjmpTree = `
+main
  +guarded
    +nested
      +jump
      -jump
    -nested
    +after
    -after
  -guarded
`.trimStart()

it('ends the calls that longjmp took away before the next call of the function it came back to', async () => {
  const build = { source: 'setjmp.c', flags: ['-O2'] }
  const [tree] = await withTruth(build, (built, log) => trueTrees(built, log, { unwinds: true }))
  expect(tree?.slice(0, setjmpTree.length)).toBe(setjmpTree)
})

it('keeps what was logged when the process kills itself', async () => {
  const [tree] = await withTruth({ source: 'dies.c', flags: ['-O2'] }, (built, log) => trueTrees(built, log))
  const expected = ['+main', '  +level', '    +level', '      +level', '        +die', '        -die']
  expect(tree?.split('\n').slice(0, 6)).toEqual(expected)
})

function traceOf(steps: readonly string[], tid: number): BeginOrEnd[] {
  let depth = 0
  return steps.map((step, tsNs) => {
    const symbol = step.slice(1)
    const type = step.startsWith('+') ? 'begin' : 'end'
    const at = type === 'begin' ? depth++ : --depth
    return { type, tsNs, pid: 1, tid, cpu: 0, depth: at, name: symbol, symbol, module: 'aliases' }
  })
}

const truth = [
  ...['+main', '+original', '-original', '+alias', '-alias', '+weak_alias', '-weak_alias'],
  ...['+local_original', '+original', '-original', '-local_original', '-main'],
]

it('takes any name of an address, and names the first difference', async () => {
  await withTruth({ source: 'aliases.c', flags: ['-O0'] }, (built, log) => {
    expect(compareWithOracle(built, log, traceOf(truth, 1))).toEqual({ events: 12, difference: undefined })
    const incomplete = traceOf(truth.toSpliced(8, 2), 1)
    const { difference } = compareWithOracle(built, log, incomplete)
    expect(difference).toMatch(
      /^1 of 1 threads differ; 1 threads traced\nevent 9 is -\w*local_original, and should be \+/,
    )
    const twice = compareWithOracle(built, log, [...traceOf(truth, 1), ...traceOf(truth, 2)])
    expect(twice.difference).toContain('0 of 1 threads differ; 2 threads traced')
  })
})
