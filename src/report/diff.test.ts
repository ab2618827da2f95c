import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { relatedTraces } from '../../test/support/jsonl-trace.ts'
import { deliver, type TraceEvent } from '../../test/support/random-trace.ts'
import { unindented, writtenTrace } from '../../test/support/written-trace.ts'
import { createAggregator } from './aggregate.ts'
import { grownBeyond } from './diff.ts'
import { type DiffOptions, diffAggregates, renderDiff } from './render-diff.ts'

function aggregate(events: readonly TraceEvent[], by: 'function' | 'module' = 'function') {
  const aggregator = createAggregator(by)
  deliver(events, aggregator)
  return aggregator.result()
}

const usual: DiffOptions = {
  format: 'table',
  columns: undefined,
  limit: Number.POSITIVE_INFINITY,
  color: false,
}

const before = aggregate(
  writtenTrace(`
    main@v1 0 100us
      same 10us 20us
      slower 20us 30us
      gone 30us 80us
  `),
)
const after = aggregate(
  writtenTrace(`
    main@v2 0 150us cut
      same 10us 20us
      slower 20us 41us
      slower 41us 50us
      new 50us 60us
    lost 2
  `),
)
const diff = diffAggregates(before, after, 'total')

it('what changed most comes first; a module may change its name', () => {
  expect([...renderDiff(diff, { ...usual, columns: ['total', 'calls', 'p99'] })]).toEqual(
    unindented(`
                A           B      CHANGE   CHANGE%  METRIC  FUNCTION
        50.000 us    0.000 ns  -50.000 us  -100.00%  total   gone (gone)
                1           0          -1  -100.00%  calls
        50.000 us           -           -         -  p99
       100.000 us  150.000 us  +50.000 us   +50.00%  total   main /* 1 cut */
                1           1           0     0.00%  calls
       100.000 us  150.000 us  +50.000 us   +50.00%  p99
        10.000 us   30.000 us  +20.000 us  +200.00%  total   slower
                1           2          +1  +100.00%  calls
        10.000 us   21.000 us  +11.000 us  +110.00%  p99
         0.000 ns   10.000 us  +10.000 us         -  total   new (new)
                0           1          +1         -  calls
                -   10.000 us           -         -  p99
        10.000 us   10.000 us    0.000 ns     0.00%  total   same
                1           1           0     0.00%  calls
        10.000 us   10.000 us    0.000 ns     0.00%  p99

       B: 2 events lost: calls are missing, and times may be off
       B: 1 call cut, still open at the end: counted with their time until then
    `),
  )
})

it('one line per function for programs', () => {
  const csv = [...renderDiff(diff, { ...usual, format: 'csv', columns: ['total'], limit: 2 })]
  expect(csv).toEqual(
    unindented(`
      name,symbol,module,status,totalNsA,totalNsB,totalNsChange,totalNsChangePercent
      gone,_gone,program,gone,50000,0,-50000,-100
      main,_main,v2,both,100000,150000,50000,50
    `),
  )
  const markdown = [...renderDiff(diff, { ...usual, format: 'markdown', columns: ['calls'], limit: 2 })]
  expect(markdown).toEqual(
    unindented(`
      | CALLS A | CALLS B | CHANGE | CHANGE% | FUNCTION |
      | ---: | ---: | ---: | ---: | :--- |
      | 1 | 0 | -1 | -100.00% | gone (gone) |
      | 1 | 1 | 0 | 0.00% | main /\\* 1 cut \\*/ |

      - 3 more, beyond --limit
      - B: 2 events lost: calls are missing, and times may be off
      - B: 1 call cut, still open at the end: counted with their time until then
    `),
  )
})

describe('growth beyond a limit', () => {
  it.each([
    [0, 0, ['main', 'new', 'slower']],
    [50, 0, ['new', 'slower']],
    [199, 0, ['new', 'slower']],
    [200, 0, ['new']],
    [10, 15_000, ['main', 'slower']],
    [10, 20_000, ['main']],
    [10, 50_000, []],
  ])('above %s %%, changes up to %s ns aside', (abovePercent, minChangeNs, names) => {
    const grown = grownBeyond(diff.changes, { abovePercent, minChangeNs })
    expect(grown.map(({ label }) => label).sort()).toEqual(names)
  })
})

it('a trace does not differ from itself', () => {
  fc.assert(
    fc.property(relatedTraces, (events) => {
      const same = diffAggregates(aggregate(events), aggregate(events), 'total')
      expect(same.changes.every(({ status }) => status === 'both')).toBe(true)
      expect(grownBeyond(same.changes, { abovePercent: 0, minChangeNs: 0 })).toEqual([])
    }),
    { numRuns: 30 },
  )
})

it('nothing of either side is left out or counted twice', () => {
  fc.assert(
    fc.property(relatedTraces, relatedTraces, fc.constantFrom('function', 'module'), (a, b, by) => {
      const [inA, inB] = [aggregate(a, by), aggregate(b, by)]
      const { changes } = diffAggregates(inA, inB, 'self')
      const sides = (side: 'a' | 'b') => new Set(changes.flatMap((change) => change[side] ?? []))
      expect(sides('a')).toEqual(new Set(inA.summaries))
      expect(sides('b')).toEqual(new Set(inB.summaries))
      const pairs = changes.filter(({ status }) => status === 'both').length
      expect(changes).toHaveLength(inA.summaries.length + inB.summaries.length - pairs)
      const { rows } = JSON.parse(
        [...renderDiff({ a: inA, b: inB, changes }, { ...usual, format: 'json' })].join('\n'),
      )
      const sum = (field: string) => rows.reduce((total: number, row: never) => total + row[field], 0)
      expect([sum('selfNsA'), sum('selfNsB')]).toEqual([inA.totalNs, inB.totalNs])
      expect(sum('callsB') - sum('callsA')).toBe(sum('callsChange'))
    }),
    { numRuns: 50 },
  )
})
