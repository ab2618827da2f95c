import { describe, expect, it } from 'vitest'
import { type Build, buildTarget, executableOf } from './support/build.ts'
import { run } from './support/process.ts'
import { callCounts, isCallEvent, lostEvents, malformation } from './support/trace.ts'
import { traceToJson, utrace } from './support/utrace.ts'

const optimized = (source: string): Build => ({ source, flags: ['-O2'], plainOnly: true })

/** Runs a target untraced and traced: it does the same, and nothing is lost. @returns the trace, and what it printed */
async function traceMany(build: Build, words: (folder: string) => readonly string[], options: string[] = []) {
  const built = await buildTarget(build)
  const program = executableOf(built.plain, built.name)
  const untraced = await run(program, words(built.plain), { timeoutMs: 60_000 })
  const traced = await traceToJson(options, ['--', program, ...words(built.plain)], { timeoutMs: 100_000 })
  expect(traced.timedOut, traced.stderr.slice(0, 500)).toBe(false)
  expect({ status: traced.status, stdout: traced.stdout, stderr: traced.targetStderr }).toEqual({
    status: untraced.status,
    stdout: untraced.stdout,
    stderr: untraced.stderr,
  })
  expect(malformation(traced.lines)).toBeUndefined()
  expect(lostEvents(traced.lines)).toBe(0)
  return traced
}

describe('as many as the program itself counts', () => {
  it('1,000 forks', async () => {
    const { lines, stdout } = await traceMany(optimized('many-forks.c'), () => ['1000'])
    const counts = callCounts(lines)
    expect(stdout).toBe('4000 calls, 0 wrong\n')
    expect(counts.get('work')).toBe(1_000)
    expect(counts.get('leaf')).toBe(3_000)
    const processes = new Set(lines.filter(isCallEvent).map(({ pid }) => pid))
    expect(processes.size).toBe(1_001)
  })

  it('200 execs, of one process', async () => {
    const { lines, messages } = await traceMany(optimized('many-execs.c'), () => ['200'])
    const counts = callCounts(lines)
    expect(counts.get('step')).toBe(200)
    expect(counts.get('leaf')).toBe(400)
    expect(new Set(lines.filter(isCallEvent).map(({ tid }) => tid)).size).toBe(1)
    // The same functions in every image: counted once.
    expect(messages.at(-1)).toMatch(/, 1 thread, 0 events lost, [1-9] functions traced, [1-9] not traced/)
  })

  it('500 dlopens of two libraries that lie at the same address, constructors included', async () => {
    const libraries = ['plugin-one.c', 'plugin-two.c']
    const build = { ...optimized('many-dlopens.c'), libraries, loadsByItself: true }
    const words = (folder: string) => [`${folder}/plugin-one.so`, `${folder}/plugin-two.so`, '500']
    const { lines, stdout } = await traceMany(build, words, ['--nest-lib', 'plugin-*'])
    expect(stdout).toContain('mostly at the same address')
    expect(Object.fromEntries([...callCounts(lines)].filter(([name]) => /_|own|use/.test(name)))).toEqual({
      own: 750,
      use: 500,
      begin_one: 250,
      plugin_one: 250,
      inner_one: 250,
      begin_two: 250,
      plugin_two: 250,
      inner_two: 250,
    })
  })

  it('5,000 threads', async () => {
    const { lines, stdout } = await traceMany(optimized('many-threads.c'), () => ['5000'])
    const counts = callCounts(lines)
    const own = (counts.get('work') ?? 0) + (counts.get('leaf') ?? 0)
    expect(`${own} calls\n`).toBe(stdout)
    expect(counts.get('work')).toBe(5_000)
    expect(new Set(lines.filter(isCallEvent).map(({ tid }) => tid)).size).toBeGreaterThan(4_000)
  })
})

describe('what a command is started with', () => {
  it.each([
    [{}],
    [{ Z: '1', B: '', PATH: process.env.PATH ?? '', A: 'two\nlines' }],
    [
      {
        PATH: process.env.PATH ?? '',
        PWD: '/nowhere',
        UV_THREADPOOL_SIZE: '3',
        LONG: 'x'.repeat(120_000),
      },
    ],
    // Not meant for utrace, which would not even start.
    [
      {
        PATH: process.env.PATH ?? '',
        NODE_OPTIONS: '--require /nonexistent',
        NODE_EXTRA_CA_CERTS: '/nonexistent',
      },
    ],
  ])('is the environment that utrace was given, in its order: %#', async (env) => {
    const untraced = await run('/usr/bin/env', [], { env })
    const traced = await run(utrace, ['-o', '/dev/null', '--', '/usr/bin/env'], { env })
    expect(traced.stdout).toBe(untraced.stdout)
    expect(traced.status).toBe(0)
  })
})
