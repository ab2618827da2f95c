import { parseDuration } from '../../base/duration.ts'
import { UsageError } from '../../base/errors.ts'
import { prometheusText } from '../../report/prometheus.ts'
import { sumsCharts, sumsColumnNames, sumsJson, sumsTable } from '../../report/sums.ts'
import { TraceSession } from '../../session/session.ts'
import type { SessionSink } from '../../session/session-options.ts'
import { parseInheritedState } from '../../target/inherited.ts'
import { traceSynopsis } from '../help.ts'
import { parseListenAddress, serveMetrics } from '../metrics-server.ts'
import { type OptionDefinition, traceOptions } from '../option-table.ts'
import type { TraceOptions } from '../options.ts'
import { fileOutput, printLine, standardErrorOutput, wantsColor } from '../output.ts'
import { columnParser, limitOption, readLimit } from '../report-options.ts'
import { exitStatus, forwardSignals, prepareTrace, printSummary, sessionOptions } from '../trace.ts'
import { readTraceWords } from '../trace-words.ts'

/** Options of a trace that are about single calls, or their way out of the kernel. */
const ofSingleCalls: ReadonlySet<string> = new Set([
  ...['tid-filter', 'max-depth', 'time-filter', 'cpuid', 'tid', 'timestamp', 'libname', 'format', 'flat'],
  ...['plan', 'version', 'buffer', 'lossless', 'max-calls', 'sample', 'budget', 'output'],
])

const group = 'Sums'

const options = [
  ...traceOptions.filter(({ name }) => !ofSingleCalls.has(name)),
  {
    name: 'interval',
    argument: 'TIME',
    group,
    help: 'Print the sums so far every TIME, such as 1s, and not only at the end',
  },
  { name: 'hist', group, help: 'Draw how the durations of each function are spread, over powers of two' },
  {
    name: 'sort',
    short: ['s'],
    argument: 'COLUMN',
    again: 'add',
    group,
    help: `Sort by COLUMN, or by several, with commas, of ${sumsColumnNames.join(', ')}: the largest first (default: total)`,
  },
  limitOption,
  {
    name: 'format',
    argument: 'FORMAT',
    choices: ['table', 'json'],
    group: 'Output',
    help: 'How to write it: a table, or one JSON object per interval on a line (default: table)',
  },
  {
    name: 'output',
    short: ['o'],
    argument: 'FILE',
    again: 'refuse',
    group: 'Output',
    help: 'Write to FILE instead of stderr',
  },
  {
    name: 'metrics-listen',
    argument: 'ADDRESS',
    group: 'Output',
    help: 'Serve the sums for Prometheus at http://ADDRESS/metrics meanwhile: 127.0.0.1:PORT, or PORT alone',
  },
  {
    name: 'metrics-anywhere',
    group: 'Output',
    help: 'Allow --metrics-listen an address that other machines can reach',
  },
] as const satisfies readonly OptionDefinition[]

type StatOptionName = (typeof options)[number]['name']

export const description = {
  synopsis: traceSynopsis('stat'),
  summary:
    'Sums up the calls of a program by function, in the kernel: calls, total, self, shortest and longest time, and ' +
    'their distribution. No event is written, so that nothing can get lost, however much is called.',
  examples: [
    { purpose: 'where a program spends its time', run: 'sudo utrace stat -c "sort -n numbers.txt"' },
    { purpose: 'a service, every second, until Ctrl-C', run: 'sudo utrace stat --interval 1s -p 1234' },
    {
      purpose: 'for Prometheus',
      run: "sudo utrace stat -f 'handle_*' --metrics-listen 127.0.0.1:9464 -p 1234",
    },
  ],
  options,
  notes: [
    'TOTAL is the time in which a call of the function was open, thread by thread: calls within calls of the same ' +
      'function count once. SELF leaves out what was spent in traced calls below. A call that has not ended is counted, ' +
      'and its time is in none of the sums yet.',
  ],
}

/** `utrace stat`. @returns the exit status: that of a command */
export async function run(words: readonly string[], inherited: string): Promise<number> {
  const read = readTraceWords<StatOptionName>(description, words)
  if (read === undefined) return 0
  const { given, trace } = read
  if (given.has('metrics-anywhere') && !given.has('metrics-listen')) {
    throw new UsageError('--metrics-anywhere needs --metrics-listen ADDRESS:PORT')
  }
  const shape = {
    sort: given.readAll('sort', columnParser(sumsColumnNames)),
    limit: readLimit(given),
    format: given.value('format') ?? 'table',
    hist: given.has('hist'),
  }
  const intervalMs = (given.read('interval', parseInterval) ?? 0) / 1e6
  const listen = given.read('metrics-listen', (text) =>
    parseListenAddress(text, given.has('metrics-anywhere')),
  )
  const session = new TraceSession({
    ...sessionOptions(trace, parseInheritedState(inherited)),
    compensate: false,
    sumUp: { alsoTrace: false },
  })
  const output = await prepareTrace(session, trace, async () => {
    const path = given.value('output')
    const opened = path === undefined ? standardErrorOutput() : fileOutput(path)
    if (listen !== undefined) {
      const server = await serveMetrics(listen, () => prometheusText(session.sums()))
      const address = server.address()
      if (address !== null && typeof address === 'object') {
        printLine(`utrace: metrics at http://${listen.host}:${address.port}/metrics`)
      }
    }
    return opened
  })
  const print = () => {
    const sums = session.sums()
    const look = { ...shape, color: wantsColor(trace.color, output.fd) }
    const timeNs = Number(process.hrtime.bigint() - session.clock.baseNs)
    const lines =
      shape.format === 'json'
        ? [sumsJson(sums, shape.sort, timeNs)]
        : [...sumsTable(sums, look), ...(shape.hist ? ['', ...sumsCharts(sums, look)] : [])]
    output.write(Buffer.from(`${lines.join('\n')}\n`))
  }
  const signals = forwardSignals(session)
  const timer = intervalMs > 0 ? setInterval(print, intervalMs) : undefined
  const result = await session.trace(silent)
  clearInterval(timer)
  print()
  output.close()
  const calls = session.sums().reduce((sum, { sums }) => sum + sums.begun, 0)
  printSummary(result, trace.debug, calls)
  return exitStatus(result, signals.received())
}

const shortestIntervalNs = 10_000_000

function parseInterval(text: string): TraceOptions['timeFilterNs'] {
  const ns = parseDuration(text)
  if (ns < shortestIntervalNs) throw new UsageError(`${text} is too short an interval: give at least 10ms`)
  return ns
}

/** Only what the kernel has summed up is shown. */
const silent: SessionSink = {
  begin: () => {},
  end: () => {},
  lost: () => {},
  note: ({ text }) => printLine(`utrace: ${text}`),
  tick: () => {},
  flush: () => {},
}
