import { escapeText } from '../base/escape.ts'
import { jsonString } from '../base/json-string.ts'
import { alignRight, type Cell, type CellKind, type CellValue, cellOf } from './cell.ts'

/** A column of a table: the one description behind every format. */
export interface Column<Row> {
  /** How the command line calls it. */
  readonly name: string
  readonly title: string
  /** Its name in JSON and CSV, with the unit. */
  readonly field: string
  readonly kind: CellKind
  value(row: Row): CellValue
}

export type TableFormat = 'table' | 'csv' | 'json' | 'markdown'

export const tableFormats = ['table', 'csv', 'json', 'markdown'] as const satisfies readonly TableFormat[]

/** Lines for people: numbers right-aligned and as wide as need be; what is text comes last and may be any length. */
export function textTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  color: boolean,
): string[] {
  const cells = rows.map((row) => columns.map(({ kind, value }) => cellOf(kind, value(row))))
  return alignedLines(columns, cells, color)
}

export function alignedLines(
  columns: readonly { readonly title: string; readonly kind: CellKind }[],
  rows: readonly (readonly Cell[])[],
  color: boolean,
): string[] {
  const widths = columns.map(({ title }, index) =>
    rows.reduce((width, row) => Math.max(width, row[index]!.text.length), title.length),
  )
  const place = (cell: Cell, index: number) => {
    if (columns[index]!.kind !== 'text') return alignRight(cell, widths[index]!, color)
    return index === columns.length - 1 ? cell.text : cell.text.padEnd(widths[index]!)
  }
  const heading = columns.map(({ title }) => ({ text: title, colour: '' }))
  return [heading, ...rows].map((row) => ` ${row.map(place).join('  ')}`.trimEnd())
}

/** A table as GitHub Flavored Markdown has it (https://github.github.com/gfm/#tables-extension-). */
export function markdownTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [
    line(columns.map(({ title }) => markdownText(title))),
    line(columns.map(({ kind }) => (kind === 'text' ? ':---' : '---:'))),
    ...rows.map((row) =>
      line(columns.map(({ kind, value }) => markdownText(cellOf(kind, value(row)).text.trim()))),
    ),
  ]
}

function markdownText(text: string): string {
  return text.replace(/[\\`*_{}[\]<>|#&~]/g, '\\$&')
}

/** Comma-separated values with a line of field names (RFC 4180, but with plain line feeds). Numbers as in JSON. */
export function csvTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string[] {
  return [
    columns.map(({ field }) => field).join(','),
    ...rows.map((row) => columns.map((column) => csvValue(column.value(row))).join(',')),
  ]
}

function csvValue(value: CellValue): string {
  if (value === undefined) return ''
  if (typeof value === 'number') return plainNumber(value)
  const text = escapeText(value)
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/**
 * A JSON object with the fields of `facts` and, under `key`, one object per row: each on a line of its own, so that
 * line tools can be used too.
 */
export function* jsonTable<Row>(
  facts: Readonly<Record<string, CellValue>>,
  key: string,
  columns: readonly Column<Row>[],
  rows: Iterable<Row>,
): Generator<string> {
  yield '{'
  for (const [field, value] of Object.entries(facts)) yield `  ${jsonString(field)}: ${jsonValue(value)},`
  yield `  ${jsonString(key)}: [`
  let held: string | undefined
  for (const row of rows) {
    if (held !== undefined) yield `${held},`
    held = `    ${jsonObject(columns, row)}`
  }
  if (held !== undefined) yield held
  yield '  ]'
  yield '}'
}

function jsonObject<Row>(columns: readonly Column<Row>[], row: Row): string {
  return `{${columns.map(({ field, value }) => `${jsonString(field)}:${jsonValue(value(row))}`).join(',')}}`
}

function jsonValue(value: CellValue): string {
  if (value === undefined) return 'null'
  return typeof value === 'number' ? plainNumber(value) : jsonString(value)
}

/** Whole, or to thousandths. */
const plainNumber = (value: number) => String(Math.round(value * 1000) / 1000)
