import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildTarget, executableOf } from './support/build.ts'
import { groupBy, naiveNumbers, naiveTrace } from './support/naive-report.ts'
import { run } from './support/process.ts'
import { temporaryFile, utrace } from './support/utrace.ts'

const recordings: ReturnType<typeof temporaryFile>[] = []
afterAll(() => {
  for (const recording of recordings) recording.remove()
})

/** Records a target. @returns the path of the recording */
async function record(source: string, ...args: string[]): Promise<string> {
  const target = await buildTarget({ source, flags: ['-O2'], plainOnly: true })
  const recording = temporaryFile('.data')
  recordings.push(recording)
  const outcome = await run(utrace, [
    ...['record', '--lib', '', '-o', recording.path, '--', executableOf(target.plain, target.name)],
    ...args,
  ])
  expect(outcome.status, outcome.stderr).toBe(0)
  return recording.path
}

/** Runs a command of utrace that must succeed. @returns what it prints */
async function output(...words: string[]): Promise<string> {
  const outcome = await run(utrace, words)
  expect(outcome.status, outcome.stderr).toBe(0)
  // Outcomes hold bytes.
  return Buffer.from(outcome.stdout, 'latin1').toString()
}

const callsByName = (json: string): Record<string, number> =>
  Object.fromEntries(
    JSON.parse(json).rows.map(({ name, calls }: { name: string; calls: number }) => [name, calls]),
  )

describe('a recursive program', () => {
  let recording = ''
  beforeAll(async () => {
    recording = await record('recursion.c')
  })

  it('has the calls that it makes', async () => {
    const json = await output('report', '-i', recording, '--format', 'json')
    expect(callsByName(json)).toEqual({ main: 1, fibonacci: 177, factorial: 12, ackermann: 27 })
  })

  it('has the numbers that its replayed JSON lines add up to', async () => {
    const { rows, totalNs } = JSON.parse(await output('report', '-i', recording, '--format', 'json'))
    const { calls } = naiveTrace(await output('replay', '-i', recording, '--format', 'jsonl'))
    const expected = groupBy(calls, ({ name }) => name)
    expect(rows).toHaveLength(expected.size)
    for (const row of rows) {
      const { calls, totalNs, selfNs, minNs, maxNs } = naiveNumbers(expected.get(row.name)!)
      expect(row).toMatchObject({ calls, totalNs, selfNs, minNs, maxNs })
    }
    expect(totalNs).toBe(rows.find(({ name }: { name: string }) => name === 'main').totalNs)
  })

  it('is one path in the graph for each level of recursion, or one in all', async () => {
    const levels = async (...words: string[]) =>
      (await output('graph', '-i', recording, ...words))
        .split('\n')
        .filter((line) => line.includes('factorial'))
    expect(await levels()).toHaveLength(12)
    expect(await levels('--fold')).toHaveLength(1)
    expect((await levels('--fold'))[0]).toMatch(/ 12 {2}[├└]─ factorial$/)
    const callers = await output('graph', 'factorial', '-i', recording, '--levels', '2')
    expect(callers).toMatch(/^Callers of factorial:\n.*\n.* 12 {2}factorial\n/)
    expect(callers).toContain('more below (see --levels)')
  })

  it('is filtered as every analysis is', async () => {
    const under = await output('report', '-i', recording, '--under', 'ackermann', '--format', 'csv')
    expect(under.trimEnd().split('\n')).toHaveLength(2)
    const hidden = await output('report', '-i', recording, '--hide', 'f*', '--format', 'json')
    expect(callsByName(hidden)).toEqual({ main: 1, ackermann: 27 })
  })

  it('shows how long calls take', async () => {
    const chart = await output('report', '-i', recording, '--hist', 'fib*')
    expect(chart).toContain('fibonacci: 177 calls')
    expect(chart).toMatch(/\[ *[\d.]+ [num]s, *[\d.]+ [num]s\) +\d+ \|█/)
  })
})

it('threads are told apart, and named', async () => {
  const recording = await record('threads.c')
  const { rows } = JSON.parse(await output('report', '-i', recording, '--by', 'thread', '--format', 'json'))
  const calls = rows.map((row: { calls: number }) => row.calls).sort((a: number, b: number) => a - b)
  // work once, and for each of its 10 * id rounds id + 1 calls of walk and of step.
  expect(calls).toEqual([1, ...[1, 2, 3, 4, 5].map((id) => 1 + 2 * 10 * id * (id + 1))])
  // A thread that was gone when its name was to be read has none.
  const names = new Set(rows.map((row: { name: string | null }) => row.name))
  expect([...names].filter((name) => name !== null)).toEqual(['threads'])
  const table = await output('report', '-i', recording, '--by', 'process', '--columns', 'calls')
  expect(table).toMatch(/^ CALLS {2}PROCESS\n 1,406 {2}\d+ threads\n$/)
})

describe('two recordings of one program', () => {
  let [short, long] = ['', '']
  beforeAll(async () => {
    short = await record('million.c', '1000')
    long = await record('million.c', '20000')
  })

  it('are compared', async () => {
    const { rows } = JSON.parse(await output('diff', short, long, '--format', 'json'))
    expect(rows.find(({ name }: { name: string }) => name === 'tiny')).toMatchObject({
      ...{ status: 'both', callsA: 1000, callsB: 20_000, callsChange: 19_000, callsChangePercent: 1900 },
    })
    expect(await output('diff', short, long, '--columns', 'calls')).toMatch(
      /^ +1,000 +20,000 +\+19,000 +\+1900\.00% {2}calls {3}tiny$/m,
    )
  })

  it('fail a check if the second one takes longer', async () => {
    const slower = await run(utrace, ['diff', '--fail-above', '10%', short, long])
    expect(slower.status).toBe(1)
    expect(slower.stderr).toMatch(/^utrace: grew by more than 10%: .*tiny \(\+\d+\.\d\d%\)/m)
    expect(slower.stdout).toContain('tiny')
    await output('diff', '--fail-above', '10%', long, short)
    await output('diff', '--fail-above', '10%', '--min-change', '1h', short, long)
  })
})

it.each([
  [['report', '--sort', 'cals'], "--sort: there is no column 'cals': did you mean 'calls'?"],
  [['graph', '--min-percent', 'x'], "--min-percent: 'x' is not a percentage: give a number such as 10%"],
  [['diff', 'one.data'], 'two recordings are needed: utrace diff A B'],
  [['diff', 'a', 'b', '--min-change', '1ms'], '--min-change needs --fail-above'],
  [['report', 'extra'], "unexpected argument 'extra'"],
])('%s is wrong usage', async (words, message) => {
  const outcome = await run(utrace, words)
  expect(outcome.status).toBe(2)
  expect(outcome.stderr).toContain(`utrace: ${message}`)
})
