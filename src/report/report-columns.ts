import type { Grouping, Summary } from './aggregate.ts'
import type { CellKind, CellValue } from './cell.ts'
import { endsComment, type TaskNames } from './subject-label.ts'
import type { Column } from './table.ts'

/** A line of a report. */
export interface ReportRow {
  readonly summary: Summary
  /** What the summary is of, in words that tell it from the others; not escaped. */
  readonly label: string
  /** The time that percentages are of. */
  readonly wholeNs: number
  /** Whether time off CPU was traced, and page faults with it. */
  readonly hasOffCpu: boolean
}

export const percentOf = (part: number, whole: number) => (whole === 0 ? 0 : (100 * part) / whole)

const column = (
  name: string,
  title: string,
  field: string,
  kind: CellKind,
  value: (row: ReportRow) => CellValue,
): Column<ReportRow> => ({ name, title, field, kind, value })

/** The columns of numbers, in the order of the JSON fields. */
export const numberColumns = [
  column('total', 'TOTAL', 'totalNs', 'duration', ({ summary }) => summary.totalNs),
  column('self', 'SELF', 'selfNs', 'duration', ({ summary }) => summary.selfNs),
  column('cpu', 'CPU', 'cpuNs', 'duration', ({ summary, hasOffCpu }) =>
    hasOffCpu ? summary.totalNs - summary.offCpuNs : undefined,
  ),
  column('off-cpu', 'OFF CPU', 'offCpuNs', 'duration', ({ summary, hasOffCpu }) =>
    hasOffCpu ? summary.offCpuNs : undefined,
  ),
  column('faults', 'FAULTS', 'pageFaults', 'count', ({ summary, hasOffCpu }) =>
    hasOffCpu ? summary.pageFaults : undefined,
  ),
  column('migrations', 'MIGRATIONS', 'migrations', 'count', ({ summary, hasOffCpu }) =>
    hasOffCpu ? summary.migrations : undefined,
  ),
  column('calls', 'CALLS', 'calls', 'count', ({ summary }) => summary.calls),
  column('min', 'MIN', 'minNs', 'duration', ({ summary }) => summary.minNs),
  column('max', 'MAX', 'maxNs', 'duration', ({ summary }) => summary.maxNs),
  column('avg', 'AVG', 'avgNs', 'duration', ({ summary }) => summary.avgNs),
  column('stddev', 'STDDEV', 'stddevNs', 'duration', ({ summary }) => summary.stddevNs),
  column('p50', 'P50', 'p50Ns', 'duration', ({ summary }) => summary.p50Ns),
  column('p90', 'P90', 'p90Ns', 'duration', ({ summary }) => summary.p90Ns),
  column('p99', 'P99', 'p99Ns', 'duration', ({ summary }) => summary.p99Ns),
  column('p99.9', 'P99.9', 'p999Ns', 'duration', ({ summary }) => summary.p999Ns),
  column('avg-self', 'AVG SELF', 'avgSelfNs', 'duration', ({ summary }) => summary.selfNs / summary.calls),
  column('percent-total', 'TOTAL%', 'percentTotal', 'percent', ({ summary, wholeNs }) =>
    percentOf(summary.totalNs, wholeNs),
  ),
  column('percent-self', 'SELF%', 'percentSelf', 'percent', ({ summary, wholeNs }) =>
    percentOf(summary.selfNs, wholeNs),
  ),
  column('cut', 'CUT', 'cut', 'count', ({ summary }) => summary.ends.cut),
  column('inferred', 'INFERRED', 'inferred', 'count', ({ summary }) => summary.ends.inferred),
  column('unwound', 'UNWOUND', 'unwound', 'count', ({ summary }) => summary.ends.unwound),
] as const

/** The names that `--columns` and `--sort` take. */
export const columnNames: readonly string[] = numberColumns.map(({ name }) => name)

export const namedColumns = (names: readonly string[]): Column<ReportRow>[] =>
  names.flatMap((name) => numberColumns.find((each) => each.name === name) ?? [])

export const defaultColumns = [
  ...['total', 'self', 'calls', 'min', 'max', 'avg', 'stddev', 'p50', 'p90', 'p99', 'p99.9'],
]

/** Shown after `self` where time off CPU was traced. */
export const offCpuColumns = ['cpu', 'off-cpu']

/** The same, the one to miss last first. */
export const byImportance = [
  'total',
  'self',
  'calls',
  'avg',
  'max',
  'p99',
  'p50',
  'min',
  'p90',
  'stddev',
  'p99.9',
]

/** The column that says to people what a line is about, and how its calls ended where they did not return. */
export function labelColumn(by: Grouping): Column<ReportRow> {
  const label = ({ label, summary }: ReportRow) => label + endsComment(summary.ends)
  return column(by, by === 'thread' ? 'PID/TID' : by.toUpperCase(), by, 'text', label)
}

/** The columns that say to programs what a line is about. */
export function subjectColumns(by: Grouping, names: TaskNames): Column<ReportRow>[] {
  const field = (name: string, value: (subject: Partial<Record<string, CellValue>>) => CellValue) =>
    column(name, name, name, 'text', ({ summary }) => value({ ...summary.subject }))
  const same = (name: string) => field(name, (subject) => subject[name])
  switch (by) {
    case 'function':
      return [same('name'), same('symbol'), same('module')]
    case 'module':
      return [same('module')]
    case 'thread':
      return [same('pid'), same('tid'), field('name', ({ tid }) => names.threadName(Number(tid)))]
    case 'process':
      return [same('pid'), field('name', ({ pid }) => names.processName(Number(pid)))]
  }
}
