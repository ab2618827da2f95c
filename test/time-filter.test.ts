import { describe, expect, it } from 'vitest'
import { buildTarget, executableOf, plainProgram } from './support/build.ts'
import { filterPrograms } from './support/filter-programs.ts'
import { begin, scratch } from './support/scratch.ts'
import {
  type BeginOrEnd,
  byThread,
  callCounts,
  isCallEvent,
  lostEvents,
  malformation,
  parseTrace,
  type TraceLine,
} from './support/trace.ts'
import { traceToJson, utrace } from './support/utrace.ts'
import { waitUntil } from './support/wait.ts'

/** Each ends calls in ways of its own: jumps, exceptions, signals, other stacks, other exits, forks, many levels. */
const programs = [
  ...filterPrograms,
  { source: 'deep-recursion.c', flags: ['-O0'] },
  { source: 'exec-self.c', flags: ['-O0'] },
  { source: 'longjmp-tail.c', flags: ['-O2'] },
  { source: 'siglongjmp.c', flags: ['-O1'] },
  { source: 'faults.c', flags: ['-O2'] },
  { source: 'fork-exceptions.cpp', flags: ['-O1'] },
  { source: 'fork-threads.c', flags: ['-O1'] },
  { source: 'coroutines20.cpp', flags: ['-O1', '-std=c++20'] },
  { source: 'overlapping.c', flags: ['-O2'] },
  { source: 'tail-recursion.c', flags: ['-O1'] },
  { source: 'exec-thread.c', flags: ['-O1'] },
  { source: 'rethrow.cpp', flags: ['-O2'] },
  { source: 'sampled.cpp', flags: ['-O2'] },
  { source: 'threads.c', flags: ['-O1'] },
  { source: 'exit-deep.c', flags: ['-O1'] },
  { source: 'large-frames.c', flags: ['-O2'] },
]

describe('--time-filter in the kernel', () => {
  it.each([1, 2])('sends nothing for short calls: %i busy threads, and hardly any room', async (threads) => {
    const calls = 20_000
    const words = ['--', await plainProgram('overload.c'), `${threads}`, `${calls}`]
    const options = ['--buffer', '4K', '-f', 'hot', '-l', '', '--time-filter', '1h']
    const { lines, messages, stdout } = await traceToJson(options, words)
    expect(stdout).toBe(`${threads * calls}\n`)
    expect(lines.filter(isCallEvent)).toEqual([])
    expect(lostEvents(lines)).toBe(0)
    expect(messages.at(-1)).toMatch(
      new RegExp(`^utrace: ${threads * 20},000 calls, ${threads + 1} threads, 0 events lost`),
    )
  })

  it('keeps calls apart that lie deeper than it looks', async () => {
    const { plain, name } = await buildTarget({ source: 'deep-recursion.c', flags: ['-O0'], plainOnly: true })
    const words = ['--', executableOf(plain, name), '1000']
    const trace = (...options: string[]) =>
      traceToJson(['--exit-probe', 'ret', '--raw-times', ...options], words)
    const whole = await trace()
    for (const min of ['1ns', '5us', '200us']) {
      const filtered = await trace('--time-filter', min)
      expect(malformation(filtered.lines), min).toBeUndefined()
      expect(allCalls(filtered.messages), min).toBe(allCalls(whole.messages))
      if (min === '1ns') expect(outlines(filtered.lines)).toEqual(outlines(whole.lines))
      expect(notWithin(outlines(filtered.lines), outlines(whole.lines)), min).toBeUndefined()
    }
  })

  it('shows a call that is still open when it is long enough, once', async () => {
    const output = scratch('.jsonl')
    const words = ['--time-filter', '300ms', '--format', 'jsonl', '-o', output.path]
    const tracer = begin(utrace, [...words, '--', await plainProgram('reads-stdin.c')])
    const lines = () => parseTrace(output.read().replace(/[^\n]*$/, ''))
    await waitUntil(() => callCounts(lines()).has('fgets'))
    expect(
      lines()
        .filter(isCallEvent)
        .map(({ type, symbol }) => `${type} ${symbol}`),
    ).toEqual(['begin main', 'begin fgets'])
    tracer.child.stdin?.end('eight\n')
    expect(await tracer.outcome).toMatchObject({ status: 0, stdout: '2 eight\nend\n' })
    expect(malformation(lines())).toBeUndefined()
    expect(callCounts(lines())).toEqual(
      new Map([
        ['main', 1],
        ['fgets', 1],
      ]),
    )
  })

  it('shows what is open at the end', async () => {
    const output = scratch('.jsonl')
    const words = ['--time-filter', '200ms', '--duration', '1s', '--format', 'jsonl', '-o', output.path]
    const tracer = begin(utrace, [...words, '--', await plainProgram('reads-stdin.c')])
    await waitUntil(() => output.read().includes('"how":"cut"'))
    tracer.child.stdin?.end()
    expect(await tracer.outcome).toMatchObject({ stdout: 'end\n' })
    const ends = parseTrace(output.read())
      .filter(isCallEvent)
      .filter(({ type }) => type === 'end')
    expect(ends.map(({ symbol, how }) => `${symbol} ${how}`)).toEqual(['fgets cut', 'main cut'])
  })

  it.each(programs)(
    'shows the long calls of the whole trace, and no others: $source $flags',
    async (build) => {
      const { plain, name } = await buildTarget({ ...build, plainOnly: true })
      const words = ['--', executableOf(plain, name)]
      for (const exitProbe of ['auto', 'ret']) {
        const trace = (...options: string[]) =>
          traceToJson(['--exit-probe', exitProbe, '--raw-times', ...options], words)
        const whole = await trace()
        const every = await trace('--time-filter', '1ns')
        expect(outlines(every.lines), exitProbe).toEqual(outlines(whole.lines))
        const shallow = await trace('--time-filter', '1ns', '--max-depth', '2')
        expect(outlines(shallow.lines), exitProbe).toEqual(outlines(whole.lines, 2))
        for (const minUs of exitProbe === 'auto' ? [5, 1000] : [20]) {
          const filtered = await trace('--time-filter', `${minUs}us`)
          const what = `${minUs} us, ${exitProbe}`
          expect(filtered).toMatchObject({ stdout: whole.stdout, status: whole.status })
          expect(malformation(filtered.lines), what).toBeUndefined()
          expect(allCalls(filtered.messages), what).toBe(allCalls(whole.messages))
          for (const end of filtered.lines.filter(isCallEvent)) {
            if (end.type === 'end') expect(end.durationNs, what).toBeGreaterThanOrEqual(minUs * 1000)
          }
          expect(notWithin(outlines(filtered.lines), outlines(whole.lines)), what).toBeUndefined()
        }
      }
    },
  )
})

/**
 * The calls of each thread in the order of their begin, each with its depth and how it ended. Those without a duration are
 * left out: what ends where it begins, `setjmp` for one, is never long.
 */
function outlines(lines: readonly TraceLine[], maxDepth = Number.POSITIVE_INFINITY): string[][] {
  const outlines = [...byThread(lines).values()].map((events) => {
    const calls: { begin: BeginOrEnd; end: BeginOrEnd | undefined }[] = []
    const open: (typeof calls)[number][] = []
    for (const event of events) {
      if (event.type === 'begin') {
        const call = { begin: event, end: undefined }
        calls.push(call)
        open.push(call)
      } else open.pop()!.end = event
    }
    return calls
      .filter(({ begin, end }) => end!.durationNs! > 0 && begin.depth < maxDepth)
      .map(({ begin, end }) => `${begin.depth} ${begin.symbol} ${end!.how}`)
  })
  return outlines.sort((one, other) => (String(one) < String(other) ? -1 : 1))
}

/** The calls of a thread that are not in the other trace, in the same order; undefined where all are: each in the shortest that has them. */
function notWithin(parts: readonly string[][], wholes: readonly string[][]): string | undefined {
  const left = [...wholes].sort((one, other) => one.length - other.length)
  for (const part of [...parts].sort((one, other) => other.length - one.length)) {
    const at = left.findIndex((whole) => isSubsequence(part, whole))
    if (at === -1) return part.join('\n')
    left.splice(at, 1)
  }
  return undefined
}

function isSubsequence(part: readonly string[], whole: readonly string[]): boolean {
  let next = 0
  for (const line of whole) if (line === part[next]) next++
  return next === part.length
}

/** What the last line says of the number of calls, shown or not. */
function allCalls(messages: readonly string[]): string | undefined {
  return /^utrace: ([\d,]+ calls?), /.exec(messages.at(-1) ?? '')?.[1]
}
