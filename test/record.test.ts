import { readFileSync, rmSync, statSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { plainProgram } from './support/build.ts'
import { run } from './support/process.ts'
import { afterTest, begin, scratch } from './support/scratch.ts'
import { callCounts, lostEvents, malformation, parseTrace } from './support/trace.ts'
import { utrace } from './support/utrace.ts'
import { waitUntil } from './support/wait.ts'

async function replay(recording: string, ...options: string[]) {
  const { stdout, stderr, status } = await run(utrace, ['replay', '-i', recording, ...options])
  return { stdout, stderr, status }
}

describe('recording a program', () => {
  it('holds what a live trace shows', async () => {
    const program = await plainProgram('recursion.c')
    const data = scratch('.data')
    const live = scratch('.jsonl')
    const traced = await run(utrace, ['--format', 'jsonl', '-o', live.path, '--', program])
    const recorded = await run(utrace, ['record', '-o', data.path, '--', program])
    expect(recorded.status, recorded.stderr).toBe(traced.status)
    expect(recorded.stdout).toBe(traced.stdout)
    const replayed = await replay(data.path, '--format', 'jsonl')
    expect(replayed.status, replayed.stderr).toBe(0)
    const lines = parseTrace(replayed.stdout)
    const liveLines = parseTrace(live.read())
    expect(malformation(lines)).toBeUndefined()
    expect(lostEvents(lines)).toBe(0)
    expect(callCounts(lines)).toEqual(callCounts(liveLines))
    const shape = (trace: typeof lines) =>
      trace.map((line) => ('symbol' in line ? [line.type, line.symbol, line.depth, line.how] : line.type))
    expect(shape(lines)).toEqual(shape(liveLines))
    const summary = (text: string) => /utrace: [\d,]+ calls.*/.exec(text)?.[0]
    expect(summary(replayed.stderr)).toBe(summary(recorded.stderr))
  })

  it('takes the filters of a trace', async () => {
    const program = await plainProgram('recursion.c')
    const [all, some] = [scratch('.data'), scratch('.data')]
    await run(utrace, ['record', '-o', all.path, '--', program])
    const filtered = ['--max-depth', '3', '-f', 'main,f*']
    const recorded = await run(utrace, ['record', ...filtered, '-o', some.path, '--', program])
    expect(recorded.stderr).toMatch(/ KB, \d+ of these calls; see 'utrace report -i /)
    const shown = async (path: string, ...options: string[]) =>
      callCounts(parseTrace((await replay(path, '--format', 'jsonl', ...options)).stdout))
    const expected = await shown(all.path, ...filtered)
    expect(expected.size).toBe(3)
    expect(await shown(some.path)).toEqual(expected)
    const nothing = scratch('.data')
    await run(utrace, ['record', '--time-filter', '1h', '-o', nothing.path, '--', program])
    expect(await shown(nothing.path)).toEqual(new Map())
  })

  it('keeps an earlier recording, and tells what it holds', async () => {
    const program = await plainProgram('threads.c')
    const data = scratch('.data')
    await run(utrace, ['record', '-o', data.path, '--', program])
    const first = readFileSync(data.path)
    await run(utrace, ['record', '-o', data.path, '-f', 'main', '--', program])
    expect(readFileSync(`${data.path}.old`).equals(first)).toBe(true)
    afterTest(() => rmSync(`${data.path}.old`))
    const info = await run(utrace, ['info', '-i', data.path])
    expect(info.stdout).toContain(program)
    expect(info.stdout).toMatch(/^module\s+threads.*build id/m)
    expect(info.stdout).toMatch(/^setting\s+functions \["main"\]/m)
    const dump = await run(utrace, ['dump', '-i', data.path])
    expect(dump.stdout).toMatch(/ entry 0x[0-9a-f]+ 0 main$/m)
  })

  it('shows parts, with other columns', async () => {
    const data = scratch('.data')
    await run(utrace, ['record', '-o', data.path, '--', await plainProgram('recursion.c')])
    const whole = parseTrace((await replay(data.path, '--format', 'jsonl')).stdout)
    const outer = parseTrace((await replay(data.path, '--format', 'jsonl', '--max-depth', '1')).stdout)
    expect(callCounts(outer)).toEqual(new Map([['main', 1]]))
    const half = await replay(data.path, '--format', 'jsonl', '--time-range', '50%~')
    expect(malformation(parseTrace(half.stdout))).toBeUndefined()
    expect(parseTrace(half.stdout).length).toBeLessThan(whole.length)
    const table = await replay(data.path, '--columns', 'elapsed,self,module,address')
    expect(table.stdout).toMatch(/^\s+ELAPSED\s+SELF\s+MODULE\s+ADDRESS \| FUNCTION$/m)
    const wrong = await replay(data.path, '--under', 'no_such_function')
    expect([wrong.status, wrong.stderr]).toEqual([1, expect.stringContaining('--under: no function')])
  })

  it('is readable after SIGKILL, and the target lives on', async () => {
    const stop = scratch('.stop')
    const victim = begin(await plainProgram('hot-loop.c'), [stop.path])
    await waitUntil(() => victim.texts.stdout.includes('running'))
    const data = scratch('.data')
    const recorder = begin(utrace, ['record', '-o', data.path, '-p', String(victim.pid)])
    await waitUntil(() => (statSync(data.path, { throwIfNoEntry: false })?.size ?? 0) > 50_000)
    recorder.child.kill('SIGKILL')
    await recorder.outcome
    const replayed = await replay(data.path, '--format', 'jsonl')
    expect(replayed.stderr).toContain('it was cut before its end')
    const lines = parseTrace(replayed.stdout)
    expect(lines.length).toBeGreaterThan(10_000)
    expect(malformation(lines)).toBeUndefined()
    expect(victim.child.exitCode).toBeNull()
  })

  it('refuses what belongs to replay, and what is no recording', async () => {
    const flat = await run(utrace, ['record', '--flat', '--', 'true'])
    expect([flat.status, flat.stderr]).toEqual([2, expect.stringContaining("give it to 'utrace replay'")])
    const other = await run(utrace, ['replay', '-i', '/etc/passwd'])
    expect([other.status, other.stderr]).toEqual([1, expect.stringContaining('not a recording of utrace')])
  })
})
