import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { buildTarget, executableOf, plainProgram } from './support/build.ts'
import { run } from './support/process.ts'
import { begin, scratch } from './support/scratch.ts'
import { callCounts, isCallEvent, malformation } from './support/trace.ts'
import { traceToJson, utrace } from './support/utrace.ts'
import { waitUntil } from './support/wait.ts'

const rounds = 5_000
/** What `passing-exceptions.cpp` says, each of its threads. */
const outputOfOne = /^\d+ failed, \d+ cleaned up\n$/
const outputOfTwo = /^(\d+ failed, \d+ cleaned up\n)\1$/

const program = async () => {
  const { plain, name } = await buildTarget({
    source: 'passing-exceptions.cpp',
    flags: ['-O2'],
    plainOnly: true,
  })
  return executableOf(plain, name)
}

/** How often each kind of event is in a recording, and for how long its threads waited. */
async function readKinds(recording: string): Promise<{ kinds: Map<string, number>; waitedNs: number }> {
  const { stdout } = await run(utrace, ['dump', '-i', recording])
  const kinds = new Map<string, number>()
  let waitedNs = 0
  for (const line of stdout.split('\n')) {
    const [, , , kind = '', stack] = line.split(' ')
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
    if (kind === 'waited') waitedNs += Number(stack)
  }
  return { kinds, waitedNs }
}

describe('exceptions that pass functions which are called far more often', () => {
  it('leave their returns hooked: a probed `ret` would cost every call a single step', async () => {
    const recording = scratch('.utrace')
    const words = ['record', '-l', '', '-o', recording.path, '--', await program(), `${rounds}`, 'alone']
    expect(await run(utrace, words)).toMatchObject({ status: 0, stdout: expect.stringMatching(outputOfOne) })
    const { kinds, waitedNs } = await readKinds(recording.path)
    const calls = kinds.get('entry')!
    const waits = kinds.get('waited')!
    expect(calls).toBeGreaterThan(3 * rounds)
    if (!kinds.has('exitsProbed')) {
      // One is not hooked in the first place: that would cost a single step at its entry.
      expect(kinds.get('return')).toBeGreaterThan(0.5 * calls)
      // Where one is thrown, and where it is caught.
      expect(waits).toBeGreaterThan((2 * rounds) / 50)
    } else {
      // Only on a machine that is too busy it is right not to wait.
      expect(waitedNs / waits).toBeGreaterThan(200_000)
    }
  })

  it('cost the calls nothing that they pass, and what is called is all there', async () => {
    const traced = await traceToJson(['-l', ''], ['--', await program(), `${rounds}`, 'alone'])
    expect(traced).toMatchObject({ status: 0, stdout: expect.stringMatching(outputOfOne) })
    expect(malformation(traced.lines)).toBeUndefined()
    expect(callCounts(traced.lines).get('_ZL9outermosti')).toBe(rounds)
    const ends = traced.lines.filter(isCallEvent).filter(({ type }) => type === 'end')
    const howOf = (symbol: string) => new Set(ends.flatMap((end) => (end.symbol === symbol ? end.how : [])))
    expect(howOf('_ZL9outermosti')).toEqual(new Set(['return']))
    expect(howOf('_ZL9innermosti')).toEqual(new Set(['return', 'unwound']))
    // `malformation` knows that what a call has waited was taken off.
    expect(ends.filter(({ waitedNs = 0 }) => waitedNs > 0).length).toBeGreaterThan(rounds / 50)
    expect(traced.messages.at(-1)).toMatch(/threads waited .* for utrace$/)
  })

  it('are the same where there is one processor for both, and nobody to wait for', async () => {
    const words = ['--format', 'jsonl', '-o', '/dev/null', '-d', '-l', '', '--', await program(), '1000']
    const outcome = await run('taskset', ['-c', '0', utrace, ...words])
    expect(outcome).toMatchObject({ status: 0, stdout: expect.stringMatching(outputOfTwo) })
    expect(outcome.stderr).toMatch(/stopped for a moment 1 started, .* unwinds, \d+ caught/)
  })

  it.each([
    ['traced', [] as string[]],
    ['summed up', ['stat']],
    ['without loss', ['--lossless', '--buffer', '64K']],
  ])('in forty threads at once are caught as ever: %s', async (_, command) => {
    const target = await buildTarget({ source: 'many-throwers.cpp', flags: ['-O2'], plainOnly: true })
    const words = ['-l', '', '-o', '/dev/null', '--', executableOf(target.plain, target.name), '40', '2000']
    const outcome = await run(utrace, [...command, ...words], { timeoutMs: 120_000 })
    expect(outcome).toMatchObject({ status: 0, stdout: `${40 * (2000 + 2000 / 20)}\n` })
    expect(outcome.stderr).toMatch(/320,0\d\d calls/)
  })

  it('wait for utrace while it does not look, however many others there were', async () => {
    const target = await buildTarget({ source: 'late-thrower.cpp', flags: ['-O2'], plainOnly: true })
    const words = ['-f', 'late*', '-l', '', '-o', '/dev/null', '--', executableOf(target.plain, target.name)]
    const tracer = begin(utrace, words)
    await waitUntil(() => tracer.texts.stdout.includes('ready'))
    tracer.child.kill('SIGSTOP')
    tracer.child.stdin?.end('go\n')
    await waitUntil(() => tracer.texts.stdout.includes('quiet'))
    // Long enough to fail: it goes on at once.
    await sleep(200)
    tracer.child.kill('SIGCONT')
    expect(await tracer.outcome).toMatchObject({ status: 0, stdout: 'ready\n1000 quiet\n1 late\n' })
  })

  it('do no harm when utrace is killed in the middle of them', async () => {
    const trace = scratch('.jsonl')
    const words = ['--format', 'jsonl', '-o', trace.path, '-l', '', '--', await program(), '100000']
    const tracer = begin(utrace, words)
    await waitUntil(() => trace.read().includes('"waitedNs"'))
    tracer.child.kill('SIGKILL')
    // Its output ends when the program, which has it too, has ended.
    expect((await tracer.outcome).stdout).toMatch(outputOfTwo)
  })
})

describe('children that are forked while utrace leaves', () => {
  it('catch what they throw', async () => {
    const target = await buildTarget({ source: 'throwing-children.cpp', flags: ['-O2'], plainOnly: true })
    const stopFile = scratch()
    const program = begin(executableOf(target.plain, target.name), [stopFile.path])
    await waitUntil(() => program.texts.stdout.includes('running'))
    for (let round = 0; round < 4; round++) {
      const words = ['-p', `${program.pid}`, '-l', '', '--duration', '200ms', '-o', '/dev/null']
      expect(await run(utrace, words, { timeoutMs: 60_000 })).toMatchObject({ status: 0 })
    }
    writeFileSync(stopFile.path, '')
    expect((await program.outcome).stdout).toBe('running\n0 failed, many forked\n')
  })
})

describe('what costs more than it spares', () => {
  it('is given up: the exits of a function that is called for its exceptions only are probed', async () => {
    const target = await buildTarget({ source: 'always-throws.cpp', flags: ['-O2'], plainOnly: true })
    const recording = scratch('.utrace')
    const words = ['record', '-o', recording.path, '-l', '', '--', executableOf(target.plain, target.name)]
    const outcome = await run(utrace, [...words, '10000'], { timeoutMs: 60_000 })
    expect(outcome).toMatchObject({ status: 0, stdout: '10000 caught\n' })
    const { kinds } = await readKinds(recording.path)
    expect(kinds.get('exitsProbed')).toBeGreaterThan(0)
    expect(kinds.get('unwound')).toBe(10_000)
    expect(kinds.get('waited')).toBeLessThan(15_000)
  })

  it('is given up at once for what is no C++ exception', async () => {
    const recording = scratch('.utrace')
    const words = ['record', '-o', recording.path, '-l', '', '--', await plainProgram('backtrace.c')]
    expect(await run(utrace, words)).toMatchObject({ status: 0 })
    const { kinds } = await readKinds(recording.path)
    expect(kinds.get('exitsProbed')).toBeGreaterThan(0)
  })
})
