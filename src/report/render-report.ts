import type { Aggregate } from './aggregate.ts'
import { belowTable, footnotes, omittedNote } from './footnotes.ts'
import {
  byImportance,
  defaultColumns,
  labelColumn,
  namedColumns,
  numberColumns,
  offCpuColumns,
  type ReportRow,
  subjectColumns,
} from './report-columns.ts'
import { distinctLabels, type TaskNames } from './subject-label.ts'
import { type Column, csvTable, jsonTable, markdownTable, type TableFormat, textTable } from './table.ts'

export interface ReportOptions {
  readonly format: TableFormat
  /** Names of columns, checked by `checkColumns`; undefined: for people the usual ones, for programs all. */
  readonly columns: readonly string[] | undefined
  /** Shown besides the usual columns. */
  readonly extraColumns: readonly string[]
  /** Names of columns, the one that counts most first. Numbers fall, text rises. */
  readonly sort: readonly string[]
  /** Lines shown at most. */
  readonly limit: number
  readonly color: boolean
  /** Characters of a line that is shown; undefined: any number. Tables have fewer columns where it is short. */
  readonly width: number | undefined
  readonly names: TaskNames
}

/** The lines of a report. */
export function renderReport(aggregate: Aggregate, options: ReportOptions): Iterable<string> {
  const rows = sortRows(rowsOf(aggregate, options.names), options.sort)
  const shown = rows.slice(0, options.limit)
  const omitted = rows.length - shown.length
  switch (options.format) {
    case 'json':
      return jsonTable(factsOf(aggregate, omitted), 'rows', dataColumns(aggregate, options), shown)
    case 'csv':
      return csvTable(dataColumns(aggregate, options), shown)
    case 'markdown':
      return [
        ...markdownTable(peopleColumns(aggregate, options), shown),
        ...belowTable([...omittedNote(omitted), ...footnotes(aggregate)], '- '),
      ]
    case 'table':
      return [
        ...textTable(peopleColumns(aggregate, options), shown, options.color),
        ...belowTable([...omittedNote(omitted), ...widthNote(options), ...footnotes(aggregate)], ' '),
      ]
  }
}

function rowsOf({ summaries, totalNs, hasOffCpu }: Aggregate, names: TaskNames): ReportRow[] {
  const labels = distinctLabels(
    summaries.map(({ subject }) => subject),
    names,
  )
  return summaries.map((summary) => ({
    summary,
    label: labels.get(summary.subject)!,
    wholeNs: totalNs,
    hasOffCpu,
  }))
}

function sortRows(rows: readonly ReportRow[], sort: readonly string[]): ReportRow[] {
  const byLabel = (a: ReportRow, b: ReportRow) => (a.label < b.label ? -1 : a.label > b.label ? 1 : 0)
  const orders = [...sort, 'total', 'self', 'name'].map((name) => {
    const column = numberColumns.find((each) => each.name === name)
    if (column === undefined) return byLabel
    return (a: ReportRow, b: ReportRow) => Number(column.value(b)) - Number(column.value(a))
  })
  return [...rows].sort((a, b) => orders.reduce((order, compare) => order || compare(a, b), 0))
}

function peopleColumns(
  { by, isCompensated, hasOffCpu }: Aggregate,
  options: ReportOptions,
): Column<ReportRow>[] {
  const names = new Set([
    ...(options.columns ?? withOffCpu(usualColumns(options), hasOffCpu)),
    ...options.extraColumns,
  ])
  const numbers = namedColumns([...names])
  return [...(isCompensated ? numbers.map(compensated) : numbers), labelColumn(by)]
}

function withOffCpu(names: readonly string[], hasOffCpu: boolean): readonly string[] {
  return hasOffCpu ? [...names.slice(0, 2), ...offCpuColumns, ...names.slice(2)] : names
}

function compensated(column: Column<ReportRow>): Column<ReportRow> {
  return column.kind === 'duration' ? { ...column, kind: 'compensated-duration' } : column
}

const spacePerColumn = 12
const spaceForLabel = 24

function usualColumns({ format, width, extraColumns }: ReportOptions): readonly string[] {
  if (format !== 'table' || width === undefined) return defaultColumns
  const count = Math.floor((width - spaceForLabel) / spacePerColumn) - extraColumns.length
  const kept = byImportance.slice(0, Math.max(count, 2))
  return defaultColumns.filter((name) => kept.includes(name))
}

/** What a short line lacks is said, since it is there. */
function widthNote(options: ReportOptions): string[] {
  if (options.columns !== undefined) return []
  const shown = new Set([...usualColumns(options), ...options.extraColumns])
  const hidden = defaultColumns.filter((name) => !shown.has(name))
  return hidden.length === 0 ? [] : [`for lack of room without ${hidden.join(', ')} (see --columns)`]
}

function dataColumns(
  { by }: Aggregate,
  { columns, extraColumns, names }: ReportOptions,
): Column<ReportRow>[] {
  const numbers =
    columns === undefined ? numberColumns : namedColumns([...new Set([...columns, ...extraColumns])])
  return [...subjectColumns(by, names), ...numbers]
}

function factsOf({ by, calls, totalNs, ends, lostEvents, sampleInterval }: Aggregate, omittedRows: number) {
  const sample = sampleInterval === undefined ? {} : { sampleInterval }
  return {
    kind: 'utrace-report',
    version: 1,
    by,
    calls,
    totalNs,
    ...ends,
    lostEvents,
    ...sample,
    omittedRows,
  }
}
