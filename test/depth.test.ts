import { describe, expect, it } from 'vitest'
import { buildTarget, executableOf } from './support/build.ts'
import { byThread, callCounts, isCallEvent, malformation, type TraceLine } from './support/trace.ts'
import { traceToJson } from './support/utrace.ts'

/** Each in an order of its own: so many levels as the kernel limits, signals, jumps, exceptions, other stacks, other exits. */
const programs = [
  { source: 'nested-calls.c', flags: ['-O1'] },
  { source: 'mutual-recursion.c', flags: ['-O2'] },
  { source: 'tail-calls.c', flags: ['-O2'] },
  { source: 'setjmp.c', flags: ['-O0'] },
  { source: 'signal-handler.c', flags: ['-O0'] },
  { source: 'signal-stack.c', flags: ['-O2'] },
  { source: 'exceptions-deep.cpp', flags: ['-O1'] },
  { source: 'unwinding-destructors.cpp', flags: ['-O0'] },
  { source: 'coroutines.c', flags: ['-O1'] },
  { source: 'hand-coroutines.c', flags: ['-O2'] },
  { source: 'large-frames.c', flags: ['-O0'] },
  { source: 'callbacks.c', flags: ['-O1'] },
]

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

  it.each(programs)('shows what a filter of the whole trace shows: $source $flags', async (build) => {
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
