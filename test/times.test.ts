import { describe, expect, it } from 'vitest'
import { plainProgram } from './support/build.ts'
import { run } from './support/process.ts'
import { scratch } from './support/scratch.ts'
import { type BeginOrEnd, isCallEvent, malformation, parseTrace, type TraceLine } from './support/trace.ts'
import { traceToJson, utrace } from './support/utrace.ts'

const targetOf = (source: string) => plainProgram(source, ['-O2', '-fcf-protection=none'])

async function recorded(program: string, ...options: string[]) {
  const data = scratch('.data')
  const done = await run(utrace, ['record', '-o', data.path, ...options, '--', program])
  expect(done.status, done.stderr).toBe(0)
  return { ...done, path: data.path }
}

const ends = (lines: readonly TraceLine[], name?: string): BeginOrEnd[] =>
  lines.filter(isCallEvent).filter((line) => line.type === 'end' && (name ?? line.name) === line.name)

/** Fails where the calls of a trace last less than nothing, more than was measured, or less than the calls in them. */
function checkDurations(lines: readonly TraceLine[]): void {
  const below: number[] = []
  for (const line of lines.filter(isCallEvent)) {
    if (line.type === 'begin') {
      below.push(0)
      continue
    }
    const { durationNs = -1, rawDurationNs = -1 } = line
    expect(durationNs).toBeGreaterThanOrEqual(below.pop()!)
    expect(durationNs).toBeLessThanOrEqual(rawDurationNs)
    if (below.length > 0) below[below.length - 1]! += durationNs
  }
}

describe('durations', () => {
  it('are without the cost of probes, and --raw-times is with it', async () => {
    const program = await targetOf('nested-calls.c')
    const { lines, status } = await traceToJson(['--no-lib', '*', '--cpu-time'], ['--', program])
    expect(status).toBe(0)
    expect(malformation(lines)).toBeUndefined()
    checkDurations(lines)
    // 200 calls that do nothing: nearly all that was measured is probes, but for what others took by running.
    const callers = ends(lines, 'caller')
    expect(callers).toHaveLength(20)
    const onCpu = (ns = 0, offNs = 0) => ns - offNs
    const shown = Math.min(...callers.map((call) => onCpu(call.durationNs, call.offCpuNs)))
    const measured = Math.min(...callers.map((call) => onCpu(call.rawDurationNs, call.offCpuNs)))
    expect(shown).toBeLessThan(measured / 2)

    const raw = await traceToJson(['--no-lib', '*', '--raw-times'], ['--', program])
    for (const { durationNs, rawDurationNs } of ends(raw.lines)) expect(durationNs).toBe(rawDurationNs)
  })

  it('are the same in every analysis of a recording, which tells what probes cost', async () => {
    const { path } = await recorded(await targetOf('nested-calls.c'), '--no-lib', '*')
    const replayed = await run(utrace, ['replay', '-i', path, '--format', 'jsonl'])
    const lines = parseTrace(replayed.stdout)
    checkDurations(lines)
    const total = ends(lines, 'caller').reduce((sum, { durationNs }) => sum + durationNs!, 0)
    const reported = await run(utrace, ['report', '-i', path, '--format', 'json'])
    const row = JSON.parse(reported.stdout).rows.find(({ name }: { name: string }) => name === 'caller')
    expect(row.totalNs).toBe(total)
    const graph = await run(utrace, ['graph', '-i', path, '--format', 'json'])
    expect(graph.stdout).toContain(`"totalNs":${total}`)
    const folded = await run(utrace, ['export', '-i', path, '--to', 'folded'])
    const weights = [...folded.stdout.matchAll(/;caller(?:;.*)? (\d+)$/gm)]
    expect(weights.reduce((sum, [, ns]) => sum + Number(ns), 0)).toBe(total)

    const raw = await run(utrace, ['replay', '-i', path, '--format', 'jsonl', '--raw-times'])
    const rawTotal = ends(parseTrace(raw.stdout), 'caller').reduce(
      (sum, { durationNs }) => sum + durationNs!,
      0,
    )
    expect(rawTotal).toBe(ends(lines, 'caller').reduce((sum, { rawDurationNs }) => sum + rawDurationNs!, 0))
    const info = await run(utrace, ['info', '-i', path])
    expect(info.stdout).toMatch(/^probe costs +entry \d+\.\d\d us \(\d+\.\d\d inside\), stepped entry /m)
  })

  it('are without the probes of calls that a recording leaves out', async () => {
    const options = ['--no-lib', '*', '--cpu-time', '--max-depth', '2']
    const { path } = await recorded(await targetOf('nested-calls.c'), ...options)
    const replayed = await run(utrace, ['replay', '-i', path, '--format', 'jsonl'])
    const lines = parseTrace(replayed.stdout)
    checkDurations(lines)
    const callers = ends(lines, 'caller')
    expect(callers).toHaveLength(20)
    expect(ends(lines, 'step')).toEqual([])
    const shown = callers.map(({ durationNs = 0, offCpuNs = 0 }) => durationNs - offCpuNs)
    const measured = callers.map(({ rawDurationNs = 0, offCpuNs = 0 }) => rawDurationNs - offCpuNs)
    expect(Math.min(...shown)).toBeLessThan(Math.min(...measured) / 2)
  })

  it('below the resolution say so', async () => {
    const { path } = await recorded(await targetOf('nested-calls.c'), '--no-lib', '*')
    const graph = await run(utrace, ['replay', '-i', path])
    const belowResolution = ends(
      parseTrace((await run(utrace, ['replay', '-i', path, '--format', 'jsonl'])).stdout),
    ).filter(({ durationNs }) => durationNs! < 100)
    expect(graph.stdout.match(/^ {4}<0\.1 us \| .*;$/gm) ?? []).toHaveLength(belowResolution.length)
  })
})

describe('waiting', () => {
  it('is what the program says of itself, function by function, and the report has it in columns', async () => {
    const program = await targetOf('waits.c')
    const { path, stdout } = await recorded(program, '--cpu-time', '--no-lib', '*')
    const report = await run(utrace, ['report', '-i', path, '--format', 'json'])
    const { rows } = JSON.parse(report.stdout)
    const truth = stdout.trim().split('\n')
    expect(truth).toHaveLength(3)
    for (const [name, waitedNs] of truth.map((line) => line.split(' '))) {
      const row = rows.find((each: { name: string }) => each.name === name)
      expect(Math.abs(row.offCpuNs - Number(waitedNs)) / Number(waitedNs), name).toBeLessThan(0.05)
      expect(row.cpuNs + row.offCpuNs).toBe(row.totalNs)
    }
    const table = await run(utrace, ['report', '-i', path])
    expect(table.stdout).toMatch(/^ +TOTAL +SELF +CPU +OFF CPU +CALLS/)
    const graph = await run(utrace, ['replay', '-i', path])
    expect(graph.stdout).toMatch(/nap\(\); \/\* off CPU +\d+\.\d{3} ms \*\//)
  })

  it('comes with page faults, as the kernel counts them for the thread', async () => {
    const program = await targetOf('page-faults.c')
    const { path, stdout } = await recorded(program, '--cpu-time', '--no-lib', '*')
    expect(stdout).toBe('touch_more 300\ntouch 1000\n')
    const lines = parseTrace((await run(utrace, ['replay', '-i', path, '--format', 'jsonl'])).stdout)
    const faults = (name: string) => ends(lines, name).map((end) => end.pageFaults ?? 0)
    const [first, second, third] = faults('touch')
    const [more] = faults('touch_more')
    // What else is touched for the first time meanwhile: code and the stack.
    for (const [seen, least] of [
      [first, 100],
      [second, 200],
      [third, 1000],
      [more, 300],
    ] as const) {
      expect(seen).toBeGreaterThanOrEqual(least)
      expect(seen).toBeLessThan(least + 10)
    }
    const graph = await run(utrace, ['replay', '-i', path])
    expect(graph.stdout).toMatch(/touch\(\); \/\* .*100\d page faults/)
    const report = await run(utrace, [
      'report',
      '-i',
      path,
      '--columns',
      'faults,migrations',
      '--sort',
      'faults',
    ])
    expect(report.stdout).toMatch(
      /^ +FAULTS +MIGRATIONS .*\n +1,3\d\d +\d+ .*main\n +1,3\d\d +\d+ .*touch\n +3\d\d /,
    )
  })

  it('is not traced unless asked for', async () => {
    const { lines } = await traceToJson(['--no-lib', '*'], ['--', await targetOf('waits.c')])
    const counted = ends(lines).filter(({ offCpuNs, pageFaults }) => (offCpuNs ?? pageFaults) !== undefined)
    expect(counted).toEqual([])
  })
})

describe('--clock', () => {
  it('tells the same moments by different clocks', async () => {
    const before = Date.now()
    const { path } = await recorded(await targetOf('nested-calls.c'), '--no-lib', '*', '-f', 'main')
    const after = Date.now()
    const times = async (clock: string) => {
      const { stdout } = await run(utrace, ['replay', '-i', path, '--format', 'jsonl', '--clock', clock])
      return [...stdout.matchAll(/"tsNs":(\d+)/g)].map(([, ns]) => BigInt(ns!))
    }
    const monotonic = await times('monotonic')
    const realtime = await times('realtime')
    const elapsed = await times('elapsed')
    expect(monotonic).toHaveLength(2)
    for (const other of [realtime, elapsed]) {
      expect(other[1]! - other[0]!).toBe(monotonic[1]! - monotonic[0]!)
    }
    const startedMs = Number(realtime[0]! / 1_000_000n)
    expect(startedMs).toBeGreaterThanOrEqual(before)
    expect(startedMs).toBeLessThanOrEqual(after)
    expect(elapsed[0]!).toBeLessThan(600_000_000_000n)
  })
})
