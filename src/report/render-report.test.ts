import { stripVTControlCharacters } from 'node:util'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { relatedTraces } from '../../test/support/jsonl-trace.ts'
import { deliver, type TraceEvent } from '../../test/support/random-trace.ts'
import { unindented, writtenTrace } from '../../test/support/written-trace.ts'
import { createAggregator, type Grouping } from './aggregate.ts'
import { type ReportOptions, renderReport } from './render-report.ts'
import { noTaskNames } from './subject-label.ts'

const usual: ReportOptions = {
  format: 'table',
  columns: undefined,
  extraColumns: [],
  sort: [],
  limit: Number.POSITIVE_INFINITY,
  color: false,
  width: undefined,
  names: noTaskNames,
}

function report(
  events: readonly TraceEvent[],
  options: Partial<ReportOptions> = {},
  by: Grouping = 'function',
) {
  const aggregator = createAggregator(by)
  deliver(events, aggregator)
  return [...renderReport(aggregator.result(), { ...usual, ...options })]
}

const trace = writtenTrace(`
  main 0 2ms cut
    read@libc.so.6 100us 900us
    parse 900us 1600us
      parse 1000us 1500us
        |\`x\` 1200us 1201us inferred
    read@libc.so.6 1700us 1700050ns
  thread 2/7
  read@program 5us 6us unwound
  lost 1234
`)

it('a table for people', () => {
  expect(report(trace)).toEqual(
    unindented(`
            TOTAL        SELF  CALLS         MIN         MAX         AVG      STDDEV         P50         P90         P99       P99.9  FUNCTION
         2.000 ms  499.950 us      1    2.000 ms    2.000 ms    2.000 ms    0.000 ns    2.000 ms    2.000 ms    2.000 ms    2.000 ms  main /* 1 cut */
       800.050 us  800.050 us      2   50.000 ns  800.000 us  400.025 us  399.975 us   50.000 ns  800.000 us  800.000 us  800.000 us  read@libc.so.6
       700.000 us  699.000 us      2  500.000 us  700.000 us  600.000 us  100.000 us  500.000 us  700.000 us  700.000 us  700.000 us  parse
         1.000 us    1.000 us      1    1.000 us    1.000 us    1.000 us    0.000 ns    1.000 us    1.000 us    1.000 us    1.000 us  read@program /* 1 unwound */
         1.000 us    1.000 us      1    1.000 us    1.000 us    1.000 us    0.000 ns    1.000 us    1.000 us    1.000 us    1.000 us  |\`x\` /* 1 inferred */

       1,234 events lost: calls are missing, and times may be off
       1 call cut, still open at the end: counted with their time until then
       1 inferred and 1 unwound (calls whose return was not seen): counted with the most they can have taken
    `),
  )
})

it('columns, and lines up to a limit, the largest first', () => {
  const options = {
    columns: ['calls', 'p50'],
    extraColumns: ['percent-self'],
    sort: ['calls', 'name'],
    limit: 2,
  }
  expect(report(trace, options)).toEqual(
    unindented(`
       CALLS         P50   SELF%  FUNCTION
           2  500.000 us  34.93%  parse
           2   50.000 ns  39.98%  read@libc.so.6

       3 more, beyond --limit
       1,234 events lost: calls are missing, and times may be off
       1 call cut, still open at the end: counted with their time until then
       1 inferred and 1 unwound (calls whose return was not seen): counted with the most they can have taken
    `),
  )
})

it('the columns that fit a terminal, and which do not', () => {
  const lines = report(trace, { width: 80, extraColumns: ['percent-self'] })
  expect(lines[0]).toBe('      TOTAL        SELF  CALLS   SELF%  FUNCTION')
  expect(lines).toContain(
    ' for lack of room without min, max, avg, stddev, p50, p90, p99, p99.9 (see --columns)',
  )
  expect(report(trace, { width: 200 })).toEqual(report(trace))
  expect(report(trace, { width: 20 })[0]).toBe('      TOTAL        SELF  FUNCTION')
})

it('Markdown, in which names mean themselves', () => {
  expect(report(trace, { format: 'markdown', columns: ['calls'], sort: ['name'] })).toEqual(
    unindented(`
      | CALLS | FUNCTION |
      | ---: | :--- |
      | 1 | main /\\* 1 cut \\*/ |
      | 2 | parse |
      | 2 | read@libc.so.6 |
      | 1 | read@program /\\* 1 unwound \\*/ |
      | 1 | \\|\\\`x\\\` /\\* 1 inferred \\*/ |

      - 1,234 events lost: calls are missing, and times may be off
      - 1 call cut, still open at the end: counted with their time until then
      - 1 inferred and 1 unwound (calls whose return was not seen): counted with the most they can have taken
    `),
  )
})

it('CSV with all columns', () => {
  expect(report(trace, { format: 'csv', limit: 2 })).toEqual(
    unindented(`
      name,symbol,module,totalNs,selfNs,cpuNs,offCpuNs,pageFaults,migrations,calls,minNs,maxNs,avgNs,stddevNs,p50Ns,p90Ns,p99Ns,p999Ns,avgSelfNs,percentTotal,percentSelf,cut,inferred,unwound
      main,_main,program,2000000,499950,,,,,1,2000000,2000000,2000000,0,2000000,2000000,2000000,2000000,499950,99.95,24.985,1,0,0
      read,_read,libc.so.6,800050,800050,,,,,2,50,800000,400025,399975,50,800000,800000,800000,400025,39.983,39.983,0,0,0
    `),
  )
})

it('JSON by thread, with the names of threads', () => {
  const names = { ...noTaskNames, threadName: (tid: number) => (tid === 7 ? 'worker "7"' : undefined) }
  expect(report(trace, { format: 'json', columns: ['total'], names }, 'thread')).toEqual(
    unindented(`
      {
        "kind": "utrace-report",
        "version": 1,
        "by": "thread",
        "calls": 7,
        "totalNs": 2001000,
        "cut": 1,
        "inferred": 1,
        "unwound": 1,
        "lostEvents": 1234,
        "omittedRows": 0,
        "rows": [
          {"pid":1,"tid":1,"name":null,"totalNs":2000000},
          {"pid":2,"tid":7,"name":"worker \\"7\\"","totalNs":1000}
        ]
      }
    `),
  )
})

it('colours only if asked, and alignment without them', () => {
  const coloured = report(trace, { color: true })
  expect(coloured.join('\n')).toContain('\x1b[33m')
  expect(coloured.map((line) => stripVTControlCharacters(line))).toEqual(report(trace))
})

it('an empty trace is an empty table', () => {
  expect(report([], { columns: ['calls'] })).toEqual([' CALLS  FUNCTION'])
  expect(JSON.parse(report([], { format: 'json' }).join('\n'))).toMatchObject({ rows: [], calls: 0 })
})

it.each(['function', 'module', 'thread', 'process'] as const)('JSON by %s says what there is', (by) => {
  fc.assert(
    fc.property(relatedTraces, (events) => {
      const aggregator = createAggregator(by)
      deliver(events, aggregator)
      const aggregate = aggregator.result()
      const { rows, ...facts } = JSON.parse(report(events, { format: 'json' }, by).join('\n'))
      expect(facts).toMatchObject({ by, calls: aggregate.calls, lostEvents: aggregate.lostEvents })
      const selfNs = rows.reduce((sum: number, row: { selfNs: number }) => sum + row.selfNs, 0)
      expect(selfNs).toBe(aggregate.totalNs)
      expect(rows).toHaveLength(aggregate.summaries.length)
    }),
    { numRuns: 30 },
  )
})

it('nothing that a name holds reaches the terminal or breaks a line', () => {
  fc.assert(
    fc.property(relatedTraces, fc.constantFrom('table', 'csv', 'json', 'markdown'), (events, format) => {
      for (const line of report(events, { format })) expect(line).not.toMatch(/\p{Cc}/u)
    }),
    { numRuns: 30 },
  )
})
