import { describe, expect, it } from 'vitest'
import { buildTarget, executableOf } from './support/build.ts'
import { filterPrograms } from './support/filter-programs.ts'
import { byThread, callCounts, isCallEvent, malformation, type TraceLine } from './support/trace.ts'
import { traceToJson } from './support/utrace.ts'

describe('--max-depth in the kernel', () => {
  it('begins anew in a new image, whose stack lies where the old one did', async () => {
    const { plain, name } = await buildTarget({ source: 'exec-self.c', flags: ['-O0'], plainOnly: true })
    const words = ['--no-randomize-addr', '--', executableOf(plain, name)]
    const whole = await traceToJson([], words)
    for (const depth of [1, 2, 3]) {
      const limited = await traceToJson(['--max-depth', String(depth)], words)
      expect(limited).toMatchObject({ stdout: whole.stdout, status: whole.status })
      expect(outline(limited.lines, depth), `depth ${depth}`).toEqual(outline(whole.lines, depth))
    }
  })

  it.each(filterPrograms)('shows what a filter of the whole trace shows: $source $flags', async (build) => {
    const { plain, name } = await buildTarget({ ...build, plainOnly: true })
    const words = ['--', executableOf(plain, name)]
    for (const exitProbe of ['auto', 'ret']) {
      const trace = (...options: string[]) => traceToJson(['--exit-probe', exitProbe, ...options], words)
      const whole = await trace()
      for (const depth of [1, 2, 4]) {
        const limited = await trace('--max-depth', String(depth))
        expect(limited).toMatchObject({ stdout: whole.stdout, status: whole.status })
        expect(malformation(limited.lines)).toBeUndefined()
        expect(outline(limited.lines, depth), `depth ${depth}, ${exitProbe}`).toEqual(
          outline(whole.lines, depth),
        )
      }
    }
  })

  it.each(['auto', 'ret'])('reports nothing of deeper calls: exits %s', async (exitProbe) => {
    const { plain, name } = await buildTarget({ source: 'deep-recursion.c', flags: ['-O0'], plainOnly: true })
    const options = ['--no-lib', '*', '--exit-probe', exitProbe, '--max-depth', '2']
    const { lines, messages } = await traceToJson(options, ['--', executableOf(plain, name), '20000'])
    expect(callCounts(lines)).toEqual(
      new Map([
        ['main', 1],
        ['descend', 3],
        ['leaf', 3],
      ]),
    )
    expect(messages.at(-1)).toMatch(/^utrace: 7 calls, /)
    const ends = lines.filter(isCallEvent).filter(({ type }) => type === 'end')
    expect(new Set(ends.map(({ how }) => how))).toEqual(new Set(['return']))
  })

  it('takes what the probes of deeper calls cost off durations', async () => {
    const { plain, name } = await buildTarget({ source: 'deep-recursion.c', flags: ['-O0'], plainOnly: true })
    const words = ['--', executableOf(plain, name), '20000']
    const { lines } = await traceToJson(['--max-depth', '2', '-f', 'main,descend'], words)
    for (const end of lines.filter(isCallEvent)) {
      if (end.type === 'end' && end.symbol === 'descend') {
        // 20,000 probes of a microsecond or more each.
        expect(end.rawDurationNs! - end.durationNs!).toBeGreaterThan(5_000_000)
      }
    }
  })
})

/** The calls down to a depth, thread by thread, in their order. */
function outline(lines: readonly TraceLine[], depth: number): string[][] {
  return [...byThread(lines).values()].map((events) =>
    events
      .filter((event) => event.type === 'begin' && event.depth < depth)
      .map((event) => `${' '.repeat(event.depth)}${event.symbol}`),
  )
}
