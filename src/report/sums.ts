import type { FunctionSums } from '../base/function-sums.ts'
import { jsonString } from '../base/json-string.ts'
import type { TracedFunction } from '../trace/call.ts'
import { countText } from './cell.ts'
import { belowTable, footnotes, omittedNote } from './footnotes.ts'
import type { Power } from './histograms.ts'
import { durationBars } from './latency-chart.ts'
import { distinctLabels, endsComment, noTaskNames } from './subject-label.ts'
import { type Column, textTable } from './table.ts'

/** What the kernel has summed up of a function. */
export interface SummedFunction {
  readonly fn: TracedFunction
  readonly sums: FunctionSums
}

const column = (
  name: string,
  title: string,
  kind: 'count' | 'duration',
  value: (sums: FunctionSums) => number | undefined,
): Column<SummedFunction> => ({ name, title, field: name, kind, value: ({ sums }) => value(sums) })

const ifEnded = (value: (sums: FunctionSums) => number) => (sums: FunctionSums) =>
  sums.ended === 0 ? undefined : value(sums)

const columns = [
  column('total', 'TOTAL', 'duration', ({ totalNs }) => totalNs),
  column('self', 'SELF', 'duration', ({ selfNs }) => selfNs),
  column('calls', 'CALLS', 'count', ({ begun }) => begun),
  column(
    'avg',
    'AVG',
    'duration',
    ifEnded(({ sumNs, ended }) => sumNs / ended),
  ),
  column(
    'min',
    'MIN',
    'duration',
    ifEnded(({ minNs }) => minNs),
  ),
  column(
    'max',
    'MAX',
    'duration',
    ifEnded(({ maxNs }) => maxNs),
  ),
]

/** The names that `--sort` takes. */
export const sumsColumnNames: readonly string[] = [...columns.map(({ name }) => name), 'name']

export interface SumsOptions {
  /** Names of columns, the one that counts most first. Numbers fall, text rises. */
  readonly sort: readonly string[]
  /** Functions shown at most. */
  readonly limit: number
  readonly color: boolean
}

/** Calls that are not part of the times, and why. */
function notTimed(rows: readonly SummedFunction[]): string[] {
  const sum = (value: (sums: FunctionSums) => number) => rows.reduce((all, { sums }) => all + value(sums), 0)
  const untimed = sum((sums) => sums.untimed)
  const open = sum((sums) => sums.begun - sums.ended - sums.untimed)
  return [
    ...(open > 0 ? [`${countText(open)} not ended yet: counted, not timed`] : []),
    ...(untimed > 0 ? [`${countText(untimed)} deeper than 256 calls: counted, not timed`] : []),
  ]
}

/** The functions that were called, in order; those that share all their names are different copies of one. */
export function sortSums(rows: readonly SummedFunction[], sort: readonly string[]): SummedFunction[] {
  const orders = [...sort, 'total', 'self', 'calls', 'name'].map((name) => {
    const found = columns.find((each) => each.name === name)
    if (found === undefined) return (a: SummedFunction, b: SummedFunction) => (a.fn.name < b.fn.name ? -1 : 1)
    const number = (row: SummedFunction) => Number(found.value(row) ?? -1)
    return (a: SummedFunction, b: SummedFunction) => number(b) - number(a)
  })
  const called = rows.filter(({ sums }) => sums.begun > 0)
  return called.sort((a, b) => orders.reduce((order, compare) => order || compare(a, b), 0))
}

function labelsOf(rows: readonly SummedFunction[]): string[] {
  const subjects = rows.map(
    ({ fn: { name, symbol, module } }) => ({ by: 'function', name, symbol, module }) as const,
  )
  const labels = distinctLabels(subjects, noTaskNames)
  return subjects.map((subject, index) => labels.get(subject)! + endsComment(rows[index]!.sums))
}

/** A table for people. */
export function sumsTable(all: readonly SummedFunction[], { sort, limit, color }: SumsOptions): string[] {
  const sorted = sortSums(all, sort)
  const shown = sorted.slice(0, limit)
  const labels = new Map(shown.map((row, index) => [row, labelsOf(shown)[index]]))
  const label = { name: 'name', title: 'FUNCTION', field: 'name', kind: 'text' as const }
  const ends = {
    cut: sumOf(all, 'cut'),
    inferred: sumOf(all, 'inferred'),
    unwound: sumOf(all, 'unwound'),
  }
  const notes = [
    ...omittedNote(sorted.length - shown.length),
    ...notTimed(all),
    ...footnotes({ ends, lostEvents: 0 }),
  ]
  return [
    ...textTable([...columns, { ...label, value: (row) => labels.get(row) }], shown, color),
    ...belowTable(notes, ' '),
  ]
}

const sumOf = (rows: readonly SummedFunction[], name: 'cut' | 'inferred' | 'unwound') =>
  rows.reduce((sum, { sums }) => sum + sums[name], 0)

/** The calls by powers of two of their duration, from the shortest to the longest, gaps included. */
export function powersOf({ histogram }: FunctionSums): Power[] {
  const first = histogram.findIndex((count) => count > 0)
  const last = histogram.findLastIndex((count) => count > 0)
  if (first === -1) return []
  return histogram.slice(first, last + 1).map((count, index) => {
    const exponent = first + index
    return { fromNs: exponent === 0 ? 0 : 2 ** exponent, toNs: 2 ** (exponent + 1), count }
  })
}

/** How the durations of each function are spread. */
export function sumsCharts(all: readonly SummedFunction[], { sort, limit, color }: SumsOptions): string[] {
  const shown = sortSums(all, sort).slice(0, limit)
  const labels = labelsOf(shown)
  return shown.flatMap(({ sums }, index) => {
    const heading = ` ${labels[index]}: ${countText(sums.begun)} call${sums.begun === 1 ? '' : 's'}`
    return [...(index > 0 ? [''] : []), heading, '', ...durationBars(powersOf(sums), color)]
  })
}

/**
 * One JSON object, on a line of its own: `functions` with all sums, times in nanoseconds, and `histogram`, a list of
 * `[fromNs, calls]`: durations from that to below twice that.
 */
export function sumsJson(all: readonly SummedFunction[], sort: readonly string[], timeNs: number): string {
  const functions = sortSums(all, sort).map(({ fn: { name, symbol, module }, sums }) => {
    const { begun, histogram: _, ...rest } = sums
    const powers = powersOf(sums).map(({ fromNs, count }) => `[${fromNs},${count}]`)
    const numbers = Object.entries(rest).map(([key, value]) => `,"${key}":${value}`)
    return (
      `{"name":${jsonString(name)},"symbol":${jsonString(symbol)},"module":${jsonString(module)},"calls":${begun}` +
      `${numbers.join('')},"histogram":[${powers.join(',')}]}`
    )
  })
  return `{"kind":"utrace-stat","version":1,"timeNs":${timeNs},"functions":[${functions.join(',')}]}`
}
