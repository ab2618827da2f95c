import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildTarget, executableOf } from './support/build.ts'
import { run } from './support/process.ts'
import { temporaryFile, utrace } from './support/utrace.ts'

const recording = temporaryFile('.data')
let totalNs = 0
let calls = 0

beforeAll(async () => {
  const target = await buildTarget({ source: 'threads.c', flags: ['-O2', '-pthread'], plainOnly: true })
  const program = executableOf(target.plain, target.name)
  await succeed('record', '--lib', '', '-o', recording.path, '--', program)
  const report = JSON.parse((await exported('report', '--format', 'json')).toString())
  totalNs = report.totalNs
  calls = report.rows.reduce((sum: number, row: { calls: number }) => sum + row.calls, 0)
})
afterAll(() => recording.remove())

async function succeed(...words: string[]): Promise<Buffer> {
  const outcome = await run(utrace, words)
  expect(outcome.status, outcome.stderr).toBe(0)
  // Outcomes hold bytes.
  return Buffer.from(outcome.stdout, 'latin1')
}

const exported = (command: string, ...words: string[]) => succeed(command, '-i', recording.path, ...words)
const exportTo = async (format: string, ...words: string[]) =>
  (await exported('export', '--to', format, ...words)).toString()
const sumOfLines = (folded: string) =>
  folded
    .split('\n')
    .reduce((sum, line) => sum + (line.startsWith('#') ? 0 : Number(/ (\d+)$/.exec(line)?.[1] ?? 0)), 0)

describe('a recording of several threads', () => {
  it('has the time and the calls of its report in folded stacks', async () => {
    expect(sumOfLines(await exportTo('folded'))).toBe(totalNs)
    expect(sumOfLines(await exportTo('folded', '--by', 'calls', '--merge', 'threads'))).toBe(calls)
  })

  it('has them in every format that holds single calls', async () => {
    const chrome = JSON.parse(await exportTo('chrome'))
    expect(chrome.traceEvents.filter(({ ph }: { ph: string }) => ph === 'B')).toHaveLength(calls)
    const { profiles } = JSON.parse(await exportTo('speedscope'))
    const opened = profiles.flatMap(({ events }: { events: { type: string }[] }) =>
      events.filter(({ type }) => type === 'O'),
    )
    expect(opened).toHaveLength(calls)
    expect((await exportTo('csv')).match(/^call,/gm)).toHaveLength(calls)
    expect((await exportTo('jsonl')).match(/^\{"type":"end"/gm)).toHaveLength(calls)
  })

  it('has names and threads in every format', async () => {
    const { profiles } = JSON.parse(await exportTo('speedscope'))
    expect(profiles.length).toBeGreaterThan(1)
    for (const format of ['flame-graph', 'callgrind', 'dot', 'mermaid', 'csv', 'perfetto']) {
      const text = await exportTo(format)
      expect(text, format).toContain('main')
      expect(text, format).toContain('threads')
    }
    const pprof = gunzipSync(await exported('export', '--to', 'pprof'))
    expect(pprof.toString()).toContain('main')
    expect(await exportTo('callgrind')).toContain(`totals: ${totalNs}\n`)
  })

  it('is filtered like any other analysis', async () => {
    const { traceEvents } = JSON.parse(await exportTo('chrome', '-f', 'main'))
    const names = traceEvents.flatMap(({ ph, name }: { ph: string; name: string }) =>
      ph === 'B' ? [name] : [],
    )
    expect(names).toEqual(['main'])
  })

  it('may be asked for by the other spelling', async () => {
    expect((await exported('export', '--format', 'flame-graph')).toString()).toBe(
      await exportTo('flame-graph'),
    )
  })
})

describe('wrong usage', () => {
  it.each([
    [[], 'say which format: --to with one of chrome, perfetto, speedscope,'],
    [['--to', 'chrome', '--icicle'], '--icicle does not go with chrome: it is for flame-graph'],
    [['--to', 'csv', '--by', 'calls'], '--by does not go with csv: it is for folded and flame-graph'],
    [['--to', 'folded', '--by', 'calls', '--sample-time', '1us'], '--sample-time counts time'],
    [['--to', 'folded', '--sample-time', '0'], '--sample-time: the time between samples is 0'],
  ])('%j is refused', async (words, message) => {
    const { status, stderr } = await run(utrace, ['export', ...words])
    expect(status).toBe(2)
    expect(stderr).toContain(message)
  })
})
