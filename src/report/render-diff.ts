import type { Aggregate, Summary } from './aggregate.ts'
import { addEnds, noEnds } from './call-ends.ts'
import { type Cell, type CellKind, type CellValue, cellOf } from './cell.ts'
import { type Change, pairSummaries } from './diff.ts'
import { belowTable, footnotes, omittedNote } from './footnotes.ts'
import { columnNames, namedColumns, type ReportRow } from './report-columns.ts'
import { distinctLabels, endsComment, noTaskNames } from './subject-label.ts'
import { alignedLines, type Column, csvTable, jsonTable, markdownTable, type TableFormat } from './table.ts'

export interface DiffOptions {
  readonly format: TableFormat
  /** What is compared, by the names of the report's columns; undefined: for people the usual, for programs all. */
  readonly columns: readonly string[] | undefined
  readonly limit: number
  readonly color: boolean
}

export interface Diff {
  /** Sorted by what changed most. */
  readonly changes: readonly LabelledChange[]
  readonly a: Aggregate
  readonly b: Aggregate
}

export interface LabelledChange extends Change {
  readonly label: string
  readonly status: 'both' | 'new' | 'gone'
}

const usualColumns = ['total', 'self', 'calls', 'p50', 'p90', 'p99']
/** What a function that is not there has none of; the others it has not at all. */
const additive: ReadonlySet<string> = new Set(['total', 'self', 'calls', 'cut', 'inferred', 'unwound'])

/** Compares two traces. @param sort the name of a column */
export function diffAggregates(a: Aggregate, b: Aggregate, sort: string): Diff {
  const pairs = pairSummaries(a, b)
  const subjects = pairs.map((change) => (change.b ?? change.a)!.subject)
  const labels = distinctLabels(subjects, noTaskNames)
  const [metric] = metricsOf([sort])
  const changes = pairs.map((change, index): LabelledChange => {
    const status = change.a === undefined ? 'new' : change.b === undefined ? 'gone' : 'both'
    return { ...change, status, label: labels.get(subjects[index]!)! }
  })
  const size = (change: Change) => Math.abs(metric!.change(change) ?? 0)
  const byLabel = (x: LabelledChange, y: LabelledChange) =>
    x.label < y.label ? -1 : x.label > y.label ? 1 : 0
  return { a, b, changes: changes.sort((x, y) => size(y) - size(x) || byLabel(x, y)) }
}

/** A column of the report, on both sides. */
interface Metric {
  readonly column: Column<ReportRow>
  a(change: Change): number | undefined
  b(change: Change): number | undefined
  change(change: Change): number | undefined
  /** Undefined where there was nothing to grow from. */
  percent(change: Change): number | undefined
}

function metricsOf(names: readonly string[]): Metric[] {
  return namedColumns(names).map((column) => {
    const absent = additive.has(column.name) ? 0 : undefined
    const numberOf = (summary: Summary | undefined) =>
      summary === undefined
        ? absent
        : Number(column.value({ summary, label: '', wholeNs: 0, hasOffCpu: true }))
    const a = ({ a }: Change) => numberOf(a)
    const b = ({ b }: Change) => numberOf(b)
    const change = (pair: Change) => {
      const [before, after] = [a(pair), b(pair)]
      return before === undefined || after === undefined ? undefined : after - before
    }
    const percent = (pair: Change) => {
      const [before, difference] = [a(pair), change(pair)]
      if (difference === undefined || before === undefined) return undefined
      if (difference === 0) return 0
      return before === 0 ? undefined : (100 * difference) / before
    }
    return { column, a, b, change, percent }
  })
}

const changeKind = (kind: CellKind): CellKind => (kind === 'count' ? 'count-change' : 'duration-change')

/** The lines of a comparison: for people one per function and column, for programs one per function. */
export function renderDiff(diff: Diff, options: DiffOptions): Iterable<string> {
  const shown = diff.changes.slice(0, options.limit)
  const omitted = diff.changes.length - shown.length
  const { by } = diff.a
  if (options.format === 'table' || options.format === 'markdown') {
    const metrics = metricsOf(options.columns ?? usualColumns)
    const notes = [
      ...omittedNote(omitted),
      ...footnotes(diff.a).map((note) => `A: ${note}`),
      ...footnotes(diff.b).map((note) => `B: ${note}`),
    ]
    return options.format === 'table'
      ? [...textLines(shown, metrics, by, options.color), ...belowTable(notes, ' ')]
      : [...markdownTable(wideColumns(metrics, by, true), shown), ...belowTable(notes, '- ')]
  }
  const columns = wideColumns(metricsOf(options.columns ?? columnNames.filter(isComparable)), by, false)
  if (options.format === 'csv') return csvTable(columns, shown)
  const facts = { kind: 'utrace-diff', version: 1, by, ...sideFacts('A', diff.a), ...sideFacts('B', diff.b) }
  return jsonTable({ ...facts, omittedRows: omitted }, 'rows', columns, shown)
}

/** Shares of two different wholes don't compare. */
export const isComparable = (name: string) => !name.startsWith('percent-')

function sideFacts(side: 'A' | 'B', { calls, totalNs, lostEvents }: Aggregate) {
  return { [`calls${side}`]: calls, [`totalNs${side}`]: totalNs, [`lostEvents${side}`]: lostEvents }
}

function peopleLabel({ label, status, a, b }: LabelledChange): string {
  return (
    label +
    endsComment(addEnds(a?.ends ?? noEnds, b?.ends ?? noEnds)) +
    (status === 'both' ? '' : ` (${status})`)
  )
}

function textLines(
  changes: readonly LabelledChange[],
  metrics: readonly Metric[],
  by: string,
  color: boolean,
): string[] {
  const columns = [
    { title: 'A', kind: 'duration' },
    { title: 'B', kind: 'duration' },
    { title: 'CHANGE', kind: 'duration' },
    { title: 'CHANGE%', kind: 'percent' },
    { title: 'METRIC', kind: 'text' },
    { title: by.toUpperCase(), kind: 'text' },
  ] as const
  const rows = changes.flatMap((change) =>
    metrics.map(({ column, ...metric }, index): Cell[] => [
      cellOf(column.kind, metric.a(change)),
      cellOf(column.kind, metric.b(change)),
      cellOf(changeKind(column.kind), metric.change(change)),
      cellOf('percent-change', metric.percent(change)),
      cellOf('text', column.name),
      cellOf('text', index === 0 ? peopleLabel(change) : ''),
    ]),
  )
  return alignedLines(columns, rows, color)
}

function wideColumns(metrics: readonly Metric[], by: string, forPeople: boolean): Column<LabelledChange>[] {
  const text = (field: string, value: (change: LabelledChange) => CellValue): Column<LabelledChange> => {
    return { name: field, title: field.toUpperCase(), field, kind: 'text', value }
  }
  const ofSubject = (name: 'name' | 'symbol' | 'module') =>
    text(name, ({ a, b }) => {
      const subject: Partial<Record<string, CellValue>> = { ...(b ?? a)!.subject }
      return subject[name]
    })
  const numbers = metrics.flatMap(({ column, ...metric }): Column<LabelledChange>[] => {
    const { name, title, field, kind } = column
    return [
      { name, title: `${title} A`, field: `${field}A`, kind, value: metric.a },
      { name, title: `${title} B`, field: `${field}B`, kind, value: metric.b },
      { name, title: 'CHANGE', field: `${field}Change`, kind: changeKind(kind), value: metric.change },
      {
        name,
        title: 'CHANGE%',
        field: `${field}ChangePercent`,
        kind: 'percent-change',
        value: metric.percent,
      },
    ]
  })
  if (forPeople) return [...numbers, text(by, peopleLabel)]
  const subject = by === 'function' ? (['name', 'symbol', 'module'] as const) : (['module'] as const)
  return [...subject.map(ofSubject), text('status', ({ status }) => status), ...numbers]
}
