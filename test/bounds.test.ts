import { describe, expect, it } from 'vitest'
import { plainProgram } from './support/build.ts'
import { run } from './support/process.ts'
import { begin, scratch } from './support/scratch.ts'
import { callCounts, isCallEvent, lostEvents, malformation } from './support/trace.ts'
import { traceToJson, utrace } from './support/utrace.ts'
import { waitUntil } from './support/wait.ts'

/** A line of `utrace dump`. `value` is the stack pointer, or the number that the kind has in its place. */
interface RawEvent {
  readonly timeNs: number
  readonly cpu: number
  readonly kind: string
  readonly value: number
}

async function rawEvents(recording: string): Promise<RawEvent[]> {
  const { stdout, stderr, status } = await run(utrace, ['dump', '-i', recording])
  expect(status, stderr).toBe(0)
  const events: RawEvent[] = []
  let isState = false
  for (const line of stdout.split('\n')) {
    // What repeats the calls that are open at the beginning of a part is no event.
    if (/^# (?:calls open|events)/.test(line)) isState = line.startsWith('# calls open')
    if (line === '' || line.startsWith('#') || isState) continue
    const [timeNs, cpu, , kind = '', value] = line.split(' ')
    events.push({ timeNs: Number(timeNs), cpu: Number(cpu), kind, value: Number(value) })
  }
  return events
}

const numberOf = (events: readonly RawEvent[], ...kinds: readonly string[]) =>
  events.filter(({ kind }) => kinds.includes(kind)).length

/** What a run of the target `overload` makes: each call an entry and a return, each thread a birth and an end. */
const eventsMade = (threads: number, calls: number) => 2 * threads * calls + 2 * threads + 1

describe('events that were lost', () => {
  it.each([1, 2])('%i busy threads, and hardly any room: made = seen + lost, exactly', async (threads) => {
    const calls = 20_000
    const program = await plainProgram('overload.c')
    const data = scratch('.data')
    const words = ['-o', data.path, '--buffer', '4K', '-f', 'hot', '-l', '']
    const recorded = await run(utrace, ['record', ...words, '--', program, `${threads}`, `${calls}`])
    expect(recorded, recorded.stderr).toMatchObject({ status: 0, stdout: `${threads * calls}\n` })
    const events = await rawEvents(data.path)
    const losses = events.filter(({ kind }) => kind === 'lost')
    const lost = losses.reduce((sum, { value }) => sum + value, 0)
    expect(lost, 'the reader has kept up: nothing was tested').toBeGreaterThan(0)
    expect(events.length - losses.length + lost).toBe(eventsMade(threads, calls))
    const [, calledText = '', lostText = ''] =
      /utrace: ([\d,]+) calls.* ([\d,]+) events lost/.exec(recorded.stderr) ?? []
    expect(Number(lostText.replaceAll(',', ''))).toBe(lost)
    expect(Number(calledText.replaceAll(',', ''))).toBe(numberOf(events, 'entry'))
    // Each stands where it happened: between the events of its CPU that came before and after.
    expect(losses.length).toBeGreaterThan(1)
    const times = events.map(({ timeNs }) => timeNs)
    expect(times).toEqual([...times].sort((a, b) => a - b))
  })
})

describe('--lossless', () => {
  const bounds = ['--lossless', '--buffer', '4K', '-f', 'hot,work', '-l', '']

  it.each([1, 2])(
    '%i busy threads wait for room: nothing is lost, and times do not count it',
    async (threads) => {
      const calls = 5_000
      const program = await plainProgram('overload.c')
      const traced = await traceToJson(bounds, ['--', program, `${threads}`, `${calls}`], {
        timeoutMs: 60_000,
      })
      expect(traced, traced.stderr).toMatchObject({ status: 0, stdout: `${threads * calls}\n` })
      expect(malformation(traced.lines)).toBeUndefined()
      expect(lostEvents(traced.lines)).toBe(0)
      expect(callCounts(traced.lines)).toEqual(
        new Map([
          ['work', threads],
          ['hot', threads * calls],
        ]),
      )
      const ends = traced.lines.filter(isCallEvent).filter(({ type }) => type === 'end')
      expect(new Set(ends.map(({ how }) => how))).toEqual(new Set(['return']))
      // What a thread has waited was taken out of its outermost call: `malformation` has added it up.
      expect(ends.filter(({ symbol, waitedNs = 0 }) => symbol === 'work' && waitedNs > 0)).toHaveLength(
        threads,
      )
      expect(traced.messages.at(-1)).toMatch(/ 0 events lost.*; threads waited .* for utrace$/)
    },
  )

  it('does not leave the program stopped when utrace is killed', async () => {
    const program = await plainProgram('overload.c')
    const output = scratch('.jsonl')
    const words = [...bounds, '--format', 'jsonl', '-o', output.path, '--', program, '2', '100000']
    const tracer = begin(utrace, words)
    await waitUntil(() => output.read().includes('"waitedNs"'))
    tracer.child.kill('SIGKILL')
    // Its output ends when the program, which has it too, has ended.
    expect((await tracer.outcome).stdout).toBe('200000\n')
  })
})

describe('a part of a trace', () => {
  it('--max-calls: the first ones, and the program runs on', async () => {
    const program = await plainProgram('overload.c')
    const words = ['--max-calls', '1000', '-f', 'hot', '-l', '']
    const traced = await traceToJson(words, ['--', program, '1', '20000'])
    expect(callCounts(traced.lines)).toEqual(new Map([['hot', 1000]]))
    expect(malformation(traced.lines)).toBeUndefined()
    expect(traced.messages.at(-1)).toMatch(/^utrace: 1,000 calls, .* 0 events lost/)
    // It has what utrace has for its output: that ends with the later of both.
    expect(traced).toMatchObject({ status: 0, stdout: '20000\n' })
  })

  it('--duration: then the program is left alone', async () => {
    const program = await plainProgram('hot-loop.c')
    const stopFile = scratch('')
    const target = begin(program, [stopFile.path])
    await waitUntil(() => target.texts.stdout.includes('running'))
    const traced = await traceToJson(['--duration', '300ms'], ['-p', `${target.pid}`], { timeoutMs: 60_000 })
    expect(traced.status, traced.stderr).toBe(0)
    expect(callCounts(traced.lines).get('outer')).toBeGreaterThan(0)
    expect(target.child.exitCode).toBeNull()
  })

  const calls = async (...words: string[]) => {
    const program = await plainProgram('phases.c')
    const traced = await traceToJson([...words, '-l', ''], ['--', program])
    expect(traced, traced.stderr).toMatchObject({ status: 0 })
    expect(malformation(traced.lines)).toBeUndefined()
    return Object.fromEntries(callCounts(traced.lines))
  }

  it('--start-at, --stop-at: what lies between, whenever it comes', async () => {
    expect(await calls('--start-at', 'begin_work', '--stop-at', 'end_work')).toEqual({
      begin_work: 2,
      work: 2,
      step: 6,
    })
    expect(await calls('--start-at', 'work')).toEqual({
      work: 2,
      end_work: 2,
      before: 1,
      begin_work: 1,
      step: 8,
    })
    expect(await calls('--stop-at', 'work')).toEqual({ main: 1, before: 1, begin_work: 1, step: 2 })
    // They need not be asked for besides.
    expect(await calls('-f', 'step', '--start-at', 'work', '--stop-at', 'end_work')).toEqual({
      work: 2,
      step: 4,
    })
  })

  it('--start-at: what is not there is said', async () => {
    const program = await plainProgram('phases.c')
    const { status, messages } = await traceToJson(['--start-at', 'nowhere'], ['--', program])
    expect(status).toBe(1)
    expect(messages).toEqual([
      "utrace: no function that can be traced matches --start-at 'nowhere': see what there is with --plan",
    ])
  })
})

describe('--budget', () => {
  it('takes the probes of the leaf that makes up nearly all calls, and loses nothing else', async () => {
    const program = await plainProgram('hot-leaf.c')
    const turns = 600
    const words = ['--budget', '20%', '-l', '']
    const traced = await traceToJson(words, ['--', program, `${turns}`], { timeoutMs: 60_000 })
    expect(traced, traced.stderr).toMatchObject({ status: 0, stdout: `${turns} turns\n` })
    expect(malformation(traced.lines)).toBeUndefined()
    expect(lostEvents(traced.lines)).toBe(0)
    const counts = callCounts(traced.lines)
    expect(counts.get('slow')).toBe(turns)
    expect(counts.get('main')).toBe(1)
    const leaves = counts.get('leaf') ?? 0
    expect(leaves).toBeGreaterThan(0)
    expect(leaves).toBeLessThan(turns * 1000)
    const ends = traced.lines.filter(isCallEvent).filter(({ type }) => type === 'end')
    expect(new Set(ends.filter(({ symbol }) => symbol !== 'leaf').map(({ how }) => how))).toEqual(
      new Set(['return']),
    )
    expect(traced.lines.filter(({ type }) => type === 'note')).toMatchObject([
      { text: expect.stringMatching(/^leaf is not traced any more, after \d+ calls: probes took \d+ % /) },
    ])
    expect(traced.messages.at(-2)).toBe(
      `utrace: leaf was traced up to ${/up to ([\d.]+ s)/.exec(traced.messages.at(-2) ?? '')?.[1]}, for ${leaves} calls: then the budget was used up`,
    )
  })
})
