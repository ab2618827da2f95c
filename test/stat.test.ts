import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createAggregator } from '../src/report/aggregate.ts'
import { functionKey } from '../src/report/function-rows.ts'
import type { Power } from '../src/report/histograms.ts'
import { powersOf } from '../src/report/sums.ts'
import { createSelection } from '../src/session/selection.ts'
import { TraceSession } from '../src/session/session.ts'
import { parseInheritedState } from '../src/target/inherited.ts'
import { type Build, buildTarget, executableOf } from './support/build.ts'
import { run, start } from './support/process.ts'
import { temporaryFile, utrace } from './support/utrace.ts'
import { waitUntil } from './support/wait.ts'

const everything = {
  functions: ['*'],
  noFunctions: [],
  libs: [],
  noLibs: [],
  nestLibs: [],
  startAt: [],
  stopAt: [],
}

/** Sums up and traces one and the same run: each event has one time, which both see. */
async function bothWays(program: string) {
  const session = new TraceSession({
    target: {
      kind: 'command',
      file: program,
      words: [program],
      environment: process.env,
      user: undefined,
      randomizeAddresses: true,
      inherited: parseInheritedState(''),
    },
    selection: createSelection(everything),
    exitProbe: 'auto',
    placement: 'auto',
    threads: [],
    bufferBytes: 4 << 20,
    followForks: true,
    compensate: false,
    cpuTime: false,
    lossless: false,
    maxCalls: undefined,
    budget: undefined,
    sampleInterval: undefined,
    depthLimit: undefined,
    durationMinNs: undefined,
    warn: () => {},
    maxDurationMs: undefined,
    log: () => {},
    sumUp: { alsoTrace: true },
  })
  await session.prepare()
  const aggregator = createAggregator('function')
  const result = await session.trace({ ...aggregator, tick: () => {}, flush: () => {} })
  expect(result.statistics.lostEvents).toBe(0)
  return { sums: session.sums(), traced: aggregator.result() }
}

type Times = Record<'totalNs' | 'selfNs' | 'minNs' | 'maxNs', number>

/** Calls are cut where a thread ends, which is looked at twice. */
function timesOf({ totalNs, selfNs, minNs, maxNs }: Times, isCut: boolean, powers: readonly Power[]) {
  if (isCut) return {}
  return { totalNs, selfNs, minNs, maxNs, powers: powers.filter(({ count }) => count > 0) }
}

describe('sums made in the kernel are those of a trace of the same run, to the nanosecond', () => {
  const builds: readonly Build[] = [
    { source: 'recursion.c', flags: ['-O2'] },
    { source: 'deep-recursion.c', flags: ['-O2'] },
    { source: 'mutual-recursion.c', flags: ['-O2'] },
    { source: 'setjmp.c', flags: ['-O2'] },
    { source: 'exceptions.cpp', flags: ['-O2'] },
    { source: 'exceptions-deep.cpp', flags: ['-O0'] },
    { source: 'passing-exceptions.cpp', flags: ['-O1'] },
    { source: 'signal-handler.c', flags: ['-O2'] },
    { source: 'threads.c', flags: ['-O2'], linkFlags: ['-pthread'] },
    { source: 'thread-exit.c', flags: ['-O2'], linkFlags: ['-pthread'] },
    { source: 'exit-deep.c', flags: ['-O2'] },
    { source: 'destructors.cpp', flags: ['-O2', '-fcf-protection=full'] },
  ]
  it.each(builds.map((build) => [build.source, build] as const))('%s', async (_source, build) => {
    const target = await buildTarget({ ...build, plainOnly: true })
    const { sums, traced } = await bothWays(executableOf(target.plain, target.name))
    const summed = sums
      .filter(({ sums: { begun } }) => begun > 0)
      .map(({ fn, sums: each }) => ({
        key: functionKey(fn),
        calls: each.begun,
        ends: { cut: each.cut, inferred: each.inferred, unwound: each.unwound },
        ...timesOf(each, each.cut > 0, powersOf(each)),
      }))
    const wanted = traced.summaries.map(({ subject, ...each }) => ({
      key: subject.by === 'function' ? functionKey(subject) : '',
      calls: each.calls,
      ends: each.ends,
      ...timesOf(each, each.ends.cut > 0, each.powersOfTwo()),
    }))
    const byKey = (a: { key: string }, b: { key: string }) => (a.key < b.key ? -1 : 1)
    expect(wanted.length).toBeGreaterThan(0)
    expect(summed.sort(byKey)).toEqual(wanted.sort(byKey))
  })
})

describe('utrace stat', () => {
  const targetOf = async (source: string) => {
    const target = await buildTarget({ source, flags: ['-O2'], plainOnly: true })
    return executableOf(target.plain, target.name)
  }

  it('counts what is called, at full speed and by several threads, and tells it as JSON', async () => {
    const program = await targetOf('overload.c')
    const output = temporaryFile('.json')
    try {
      const words = ['stat', '-l', '', '--format', 'json', '--interval', '100ms', '-o', output.path]
      const outcome = await run(utrace, [...words, '--', program, '2', '20000'])
      expect(outcome, outcome.stderr).toMatchObject({ status: 0, stdout: '40000\n' })
      expect(outcome.stderr).toMatch(/^utrace: 40,003 calls, \d functions traced/m)
      const lines = output.read().trimEnd().split('\n')
      expect(lines.length).toBeGreaterThan(1)
      const { functions } = JSON.parse(lines.at(-1)!)
      const hot = functions.find(({ symbol }: { symbol: string }) => symbol === 'hot')
      expect(hot).toMatchObject({ calls: 40_000, ended: 40_000, unwound: 0, inferred: 0, cut: 0, untimed: 0 })
      const histogram: readonly [number, number][] = hot.histogram
      expect(histogram.reduce((sum, [, count]) => sum + count, 0)).toBe(40_000)
      expect(hot.minNs).toBeLessThanOrEqual(hot.totalNs / 40_000)
    } finally {
      output.remove()
    }
  })

  it('says what is too deep to be timed', async () => {
    const outcome = await run(utrace, ['stat', '-l', '', '--hist', '--', await targetOf('tail-recursion.c')])
    expect(outcome.status, outcome.stderr).toBe(0)
    expect(outcome.stderr).toMatch(/^ [\d,]+ deeper than 256 calls: counted, not timed$/m)
    expect(outcome.stderr).toMatch(/^ DURATION +CALLS$/m)
  })

  it('serves Prometheus on this machine only, unless told otherwise', async () => {
    const program = await targetOf('hot-loop.c')
    const stopFile = temporaryFile()
    const target = start(program, [stopFile.path])
    const tracer = start(utrace, ['stat', '-l', '', '--metrics-listen', '127.0.0.1:0', '-p', `${target.pid}`])
    try {
      const address = () => /http:\/\/127\.0\.0\.1:\d+\/metrics/.exec(tracer.texts.stderr)?.[0]
      await waitUntil(() => address() !== undefined)
      let text = ''
      for (let tries = 0; tries < 300 && !/utrace_calls_total\{function="outer"/.test(text); tries++) {
        await sleep(50)
        text = await (await fetch(address()!)).text()
      }
      expect(text).toMatch(/^utrace_calls_total\{function="outer",symbol="outer",module="hot-loop"\} \d+$/m)
      expect(text).toMatch(/^utrace_call_duration_seconds_bucket\{function="outer",.*,le="\+Inf"\} \d+$/m)
      tracer.child.kill('SIGINT')
      const traced = await tracer.outcome
      expect(traced.stderr).toMatch(/ outer$/m)
      const refused = await run(utrace, ['stat', '--metrics-listen', '0.0.0.0:9464', '-p', `${target.pid}`])
      expect(refused.status).toBe(2)
      expect(refused.stderr).toMatch(/^utrace: --metrics-listen: .*other machines.*--metrics-anywhere/)
    } finally {
      tracer.stop()
      target.stop()
    }
  })
})
