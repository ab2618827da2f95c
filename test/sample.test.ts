import { describe, expect, it } from 'vitest'
import { buildTarget, executableOf } from './support/build.ts'
import { run } from './support/process.ts'
import { scratch } from './support/scratch.ts'
import { type BeginOrEnd, isCallEvent, malformation } from './support/trace.ts'
import { traceToJson, utrace } from './support/utrace.ts'

const interval = 20
const rounds = 4_000
/** Calls of the target `sampled`, as its code has them. */
const made: Readonly<Record<string, number>> = {
  pair: 2 * rounds,
  hands_on: rounds,
  descend: 10 * rounds,
  catches: rounds / 20,
  throws_up: rounds / 20,
  jumped_to: rounds / 20,
  jumps_up: rounds / 20,
  leaf: 4 * rounds + 4 * (rounds / 20),
}
const functions = ['-f', Object.keys(made).join(','), '-l', '']

async function program(): Promise<string> {
  const target = await buildTarget({ source: 'sampled.cpp', flags: ['-O2'], plainOnly: true })
  return executableOf(target.plain, target.name)
}

interface Node {
  readonly symbol: string
  readonly weight: number
  readonly children: Node[]
  how: string | undefined
}

/** The trees that the lines tell, thread by thread. */
function treesOf(events: readonly BeginOrEnd[]): Node[] {
  const roots: Node[] = []
  const open = new Map<number, Node[]>()
  for (const event of events) {
    const stack = open.get(event.tid) ?? []
    open.set(event.tid, stack)
    if (event.type === 'end') stack.pop()!.how = event.how
    else {
      const node: Node = {
        symbol: event.name.replace(/\(.*/, ''),
        weight: event.weight ?? 1,
        children: [],
        how: undefined,
      }
      ;(stack.at(-1)?.children ?? roots).push(node)
      stack.push(node)
    }
  }
  return roots
}

const all = (nodes: readonly Node[]): Node[] => nodes.flatMap((node) => [node, ...all(node.children)])
const shape = ({ symbol, children }: Node): string => `${symbol}(${children.map(shape).join(' ')})`

/** Each of so many calls is drawn by itself: the estimate's standard deviation. */
const deviation = (calls: number) => Math.sqrt(calls * (interval - 1))

describe.each(['auto', 'ret'])('--sample, --exit-probe %s', (exitProbe) => {
  it('has whole subtrees, and weights that add up to the calls that were made', async () => {
    const options = ['--sample', `1/${interval}`, '--exit-probe', exitProbe, ...functions]
    const words = ['--', await program(), `${rounds}`]
    const traced = await traceToJson(options, words, { timeoutMs: 120_000 })
    const untraced = await run(words[1]!, words.slice(2))
    expect(traced, traced.stderr).toMatchObject({ status: 0, stdout: untraced.stdout })
    expect(malformation(traced.lines)).toBeUndefined()
    const roots = treesOf(traced.lines.filter(isCallEvent))
    // What is outermost was drawn, or came into the place of a call that a `longjmp` took away.
    const undrawn = roots.filter(({ weight, symbol }) => weight !== interval && symbol !== 'leaf')
    expect(undrawn).toEqual([])
    const nodes = all(roots)
    expect([...new Set(nodes.map(({ weight }) => weight))].sort()).toEqual([0, interval])

    for (const [symbol, calls] of Object.entries(made)) {
      const estimate = nodes.reduce((sum, node) => sum + (node.symbol === symbol ? node.weight : 0), 0)
      expect(Math.abs(estimate - calls), `${symbol}: ${estimate} of ${calls}`).toBeLessThan(
        6 * deviation(calls),
      )
    }
    const weights = nodes.reduce((sum, { weight }) => sum + weight, 0).toLocaleString('en')
    expect(traced.messages.at(-1)).toContain(` calls of a sample (some ${weights} were made), `)
    const shapes: Readonly<Record<string, RegExp>> = {
      leaf: /^leaf\(\)$/,
      pair: /^pair\(leaf\(\) leaf\(\)\)$/,
      hands_on: /^hands_on\(pair\(leaf\(\) leaf\(\)\)\)$/,
      descend: /^(descend\(){1,10}\)+$/,
      throws_up: /^throws_up\(leaf\(\)\)$/,
      catches: /^catches\(throws_up\(leaf\(\)\) leaf\(\)\)$/,
      jumps_up: /^jumps_up\(leaf\(\)\)$/,
      jumped_to: /^jumped_to\(jumps_up\(leaf\(\)\) leaf\(\)\)$/,
    }
    for (const node of nodes) expect(shape(node)).toMatch(shapes[node.symbol]!)
    const depths = nodes.filter(({ symbol }) => symbol === 'descend').map((node) => all([node]).length)
    expect(new Set(depths)).toEqual(new Set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]))
    const hows: Readonly<Record<string, string>> = {
      throws_up: 'unwound',
      jumps_up: exitProbe === 'ret' ? 'inferred' : 'unwound',
    }
    for (const { symbol, how } of nodes) expect(how, symbol).toBe(hows[symbol] ?? 'return')
  })
})

describe('a recording of a sample', () => {
  it('is scaled up in reports, which say so', async () => {
    const data = scratch('.data')
    const words = [
      '--sample',
      `1/${interval}`,
      ...functions,
      '-o',
      data.path,
      '--',
      await program(),
      `${rounds}`,
    ]
    const recorded = await run(utrace, ['record', ...words])
    expect(recorded.status, recorded.stderr).toBe(0)
    const report = await run(utrace, ['report', '-i', data.path, '--format', 'json'])
    const { rows, sampleInterval } = JSON.parse(report.stdout)
    expect(sampleInterval).toBe(interval)
    const replayed = await run(utrace, ['replay', '-i', data.path, '--format', 'jsonl'])
    const weights = new Map<string, number>()
    for (const line of replayed.stdout
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text))) {
      if (line.type === 'end') weights.set(line.name, (weights.get(line.name) ?? 0) + line.weight)
    }
    const drawn = [...weights].filter(([, weight]) => weight > 0)
    const byName = ([a]: [string, number], [b]: [string, number]) => (a < b ? -1 : 1)
    const reported = rows.map(({ name, calls }: { name: string; calls: number }) => [name, calls])
    expect(reported.sort(byName)).toEqual(drawn.sort(byName))
    const table = await run(utrace, ['report', '-i', data.path])
    expect(table.stdout).toContain('a sample of 1 call in 20: calls and times are estimates')
    const graph = await run(utrace, ['graph', '-i', data.path])
    expect(graph.stdout).toContain('a sample: counts and times are of what was recorded, not scaled up')
    const info = await run(utrace, ['info', '-i', data.path])
    expect(info.stdout).toMatch(/setting +sampleInterval 20\n/)
  })
})
