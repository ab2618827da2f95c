import { expect, it } from 'vitest'
import { deliver } from '../../test/support/random-trace.ts'
import { unindented, writtenTrace } from '../../test/support/written-trace.ts'
import { createAggregator } from './aggregate.ts'
import { latencyChart } from './latency-chart.ts'

function chart(durations: readonly string[], color = false): string[] {
  const aggregator = createAggregator('function')
  deliver(writtenTrace(durations.map((text) => `f 0 ${text}`).join('\n')), aggregator)
  return latencyChart(aggregator.result().summaries[0]!, 'f', color)
}

it('a bar for each power of two between the shortest and the longest', () => {
  expect(chart([...Array(100).fill('1.5us'), ...Array(25).fill('1us'), '10us cut'])).toEqual(
    unindented(`
       f: 126 calls

       DURATION                 CALLS
       [512.000 ns,   1.024 us)    25 |████████████▌
       [  1.024 us,   2.048 us)   100 |██████████████████████████████████████████████████
       [  2.048 us,   4.096 us)     0 |
       [  4.096 us,   8.192 us)     0 |
       [  8.192 us,  16.384 us)     1 |▌

       min 1.000 us, avg 1.468 us, p50 1.495 us, p90 1.495 us, p99 1.495 us, p99.9 10.000 us, max 10.000 us
       1 call cut, still open at the end: counted with their time until then
    `),
  )
})

it('no time at all', () => {
  expect(chart(['0'])).toEqual(
    unindented(`
       f: 1 call

       DURATION                 CALLS
       [  0.000 ns,   1.000 ns)     1 |██████████████████████████████████████████████████

       min 0.000 ns, avg 0.000 ns, p50 0.000 ns, p90 0.000 ns, p99 0.000 ns, p99.9 0.000 ns, max 0.000 ns
    `),
  )
})

it('bars are coloured on request', () => {
  expect(chart(['1us'], true).join('\n')).toContain('|\x1b[36m█')
})
