import { expect, it } from 'vitest'
import { deliver, type TraceEvent } from '../../test/support/random-trace.ts'
import { unindented, writtenTrace } from '../../test/support/written-trace.ts'
import { type CallTreeOptions, createCallTreeBuilder } from './build-call-tree.ts'
import { type GraphOptions, renderGraph } from './render-graph.ts'

const usual: GraphOptions = { format: 'tree', functions: undefined, levels: 64, minPercent: 0, color: false }

function graph(
  events: readonly TraceEvent[],
  options: Partial<GraphOptions> = {},
  building: CallTreeOptions = { fold: false },
) {
  const builder = createCallTreeBuilder(building)
  deliver(events, builder)
  return [...renderGraph(builder.result(), { ...usual, ...options })]
}

const trace = writtenTrace(`
  main 0 2ms cut
    load 0 1000us
      read@libc.so.6 100us 900us
    walk 1000us 1900us
      walk 1100us 1800us
        walk 1200us 1700us
          read@libc.so.6 1300us 1400us
        visit 1710us 1720us unwound
      visit 1810us 1820us
  thread 2/7
  read@program 5us 6us
  lost 1
`)
const walk = new Set(['walk\0_walk\0program'])

it('the merged tree, the longest children first', () => {
  expect(graph(trace)).toEqual(
    unindented(`
            TOTAL   TOTAL%        SELF  CALLS  FUNCTION
         2.000 ms   99.95%  100.000 us      1  main /* 1 cut */
         1.000 ms   49.98%  200.000 us      1  ├─ load
       800.000 us   39.98%  800.000 us      1  │  └─ read@libc.so.6
       900.000 us   44.98%  190.000 us      1  └─ walk
       700.000 us   34.98%  190.000 us      1     ├─ walk
       500.000 us   24.99%  400.000 us      1     │  ├─ walk
       100.000 us    5.00%  100.000 us      1     │  │  └─ read@libc.so.6
        10.000 us    0.50%   10.000 us      1     │  └─ visit /* 1 unwound */
        10.000 us    0.50%   10.000 us      1     └─ visit
         1.000 us    0.05%    1.000 us      1  read@program

       1 event lost: calls are missing, and times may be off
       1 call cut, still open at the end: counted with their time until then
       1 unwound (calls whose return was not seen): counted with the most they can have taken
    `),
  )
})

it('what lies below the last level, or has little of the time, is summed up', () => {
  expect(graph(trace, { levels: 2 })).toEqual(
    unindented(`
            TOTAL   TOTAL%        SELF  CALLS  FUNCTION
         2.000 ms   99.95%  100.000 us      1  main /* 1 cut */
         1.000 ms   49.98%  200.000 us      1  ├─ load
                                               │  └─ … 1 more below (see --levels)
       900.000 us   44.98%  190.000 us      1  └─ walk
                                                  └─ … 5 more below (see --levels)
         1.000 us    0.05%    1.000 us      1  read@program

       1 event lost: calls are missing, and times may be off
       1 call cut, still open at the end: counted with their time until then
       1 unwound (calls whose return was not seen): counted with the most they can have taken
    `),
  )
  expect(graph(trace, { minPercent: 20 })).toEqual(
    unindented(`
            TOTAL   TOTAL%        SELF  CALLS  FUNCTION
         2.000 ms   99.95%  100.000 us      1  main /* 1 cut */
         1.000 ms   49.98%  200.000 us      1  ├─ load
       800.000 us   39.98%  800.000 us      1  │  └─ read@libc.so.6
       900.000 us   44.98%  190.000 us      1  └─ walk
       700.000 us   34.98%  190.000 us      1     ├─ walk
       500.000 us   24.99%  400.000 us      1     │  ├─ walk
                                                  │  │  └─ … 1 more, each below 20%
                                                  │  └─ … 1 more, each below 20%
                                                  └─ … 1 more, each below 20%
                                               … 1 more, each below 20%

       1 event lost: calls are missing, and times may be off
       1 call cut, still open at the end: counted with their time until then
       1 unwound (calls whose return was not seen): counted with the most they can have taken
    `),
  )
})

it('recursion in one node', () => {
  expect(graph(trace, {}, { fold: true })).toEqual(
    unindented(`
            TOTAL   TOTAL%        SELF  CALLS  FUNCTION
         2.000 ms   99.95%  100.000 us      1  main /* 1 cut */
         1.000 ms   49.98%  200.000 us      1  ├─ load
       800.000 us   39.98%  800.000 us      1  │  └─ read@libc.so.6
       900.000 us   44.98%  780.000 us      3  └─ walk
       100.000 us    5.00%  100.000 us      1     ├─ read@libc.so.6
        20.000 us    1.00%   20.000 us      2     └─ visit /* 1 unwound */
         1.000 us    0.05%    1.000 us      1  read@program

       1 event lost: calls are missing, and times may be off
       1 call cut, still open at the end: counted with their time until then
       1 unwound (calls whose return was not seen): counted with the most they can have taken
    `),
  )
})

it('beyond the largest number of paths', () => {
  expect(graph(trace, {}, { fold: false, maxPaths: 3 })).toEqual(
    unindented(`
            TOTAL   TOTAL%        SELF  CALLS  FUNCTION
         2.000 ms   99.95%  100.000 us      1  main /* 1 cut */
         1.000 ms   49.98%  200.000 us      1  ├─ load
       800.000 us   39.98%  800.000 us      1  │  └─ read@libc.so.6
       900.000 us   44.98%  900.000 us      6  └─ … calls on further paths, which are too many to keep apart /* 1 unwound */
         1.000 us    0.05%    1.000 us      1  … calls on further paths, which are too many to keep apart

       1 event lost: calls are missing, and times may be off
       1 call cut, still open at the end: counted with their time until then
       1 unwound (calls whose return was not seen): counted with the most they can have taken
    `),
  )
})

it('the callers of a function, and what it calls', () => {
  expect(graph(trace, { functions: walk })).toEqual(
    unindented(`
      Callers of walk:
            TOTAL   TOTAL%        SELF  CALLS  FUNCTION
       900.000 us   44.98%  780.000 us      3  walk
       900.000 us   44.98%  190.000 us      1  ├─ main
         0.000 ns    0.00%  590.000 us      2  └─ walk
         0.000 ns    0.00%  190.000 us      1     ├─ main
         0.000 ns    0.00%  400.000 us      1     └─ walk
         0.000 ns    0.00%  400.000 us      1        └─ main

      Calls below walk:
            TOTAL   TOTAL%        SELF  CALLS  FUNCTION
       900.000 us   44.98%  190.000 us      1  walk
       700.000 us   34.98%  190.000 us      1  ├─ walk
       500.000 us   24.99%  400.000 us      1  │  ├─ walk
       100.000 us    5.00%  100.000 us      1  │  │  └─ read@libc.so.6
        10.000 us    0.50%   10.000 us      1  │  └─ visit /* 1 unwound */
        10.000 us    0.50%   10.000 us      1  └─ visit

       1 event lost: calls are missing, and times may be off
       1 call cut, still open at the end: counted with their time until then
       1 unwound (calls whose return was not seen): counted with the most they can have taken
    `),
  )
})

it('JSON, with numbers for nodes that are different in all trees', () => {
  const { nodes, ...facts } = JSON.parse(graph(trace, { functions: walk, format: 'json' }).join('\n'))
  expect(facts).toEqual({
    ...{ kind: 'utrace-graph', version: 1, totalNs: 2_001_000, lostEvents: 1 },
    ...{ cut: 1, inferred: 0, unwound: 1 },
  })
  const byId = new Map<number, { view: string; name: string; parentId: number | null }>(
    nodes.map((node: { id: number }) => [node.id, node]),
  )
  expect(byId.size).toBe(nodes.length)
  const path = (id: number | null): string =>
    id === null ? '' : `${path(byId.get(id)!.parentId)}/${byId.get(id)!.name}`
  const paths = nodes.map(({ view, id }: { view: string; id: number }) => `${view}:${path(id)}`)
  expect(paths).toContain('callers:/walk/walk/walk/main')
  expect(paths).toContain('callees:/walk/walk/walk/read')
  expect(nodes[0]).toEqual({
    ...{ view: 'callers', id: 1, parentId: null, name: 'walk', symbol: '_walk', module: 'program' },
    ...{ calls: 3, totalNs: 900_000, selfNs: 780_000, percentTotal: 44.978, cut: 0, inferred: 0, unwound: 0 },
  })
})

it('a function that was not called', () => {
  expect(graph([], { functions: walk })).toEqual(['No call of a matching function.'])
  expect(graph([])).toHaveLength(1)
})

it('deep recursion is a few lines', () => {
  const lines = Array.from({ length: 100 }, (_, depth) => `${'  '.repeat(depth)}f 0 1s`)
  const deep = graph(writtenTrace(lines.join('\n')), { levels: 3 })
  expect(deep).toHaveLength(5)
  expect(deep.at(-1)).toContain('… 97 more below (see --levels)')
})
