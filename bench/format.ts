import type { Summary } from './statistics.ts'

export const noValue = '–'

/** Three significant digits and thousands separated: `1,470`, `12.3`, `0.52`. */
export function number(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toFixed(digits).replace(/\B(?=(?:\d{3})+(?!\d))(?<!\.\d*)/g, ',')
}

export const count = (value: number) => number(Math.round(value)).replace(/\.0+$/, '')
export const milliseconds = (ns: number) => `${number(ns / 1e6)} ms`
export const megabytes = (bytes: number) => `${number(bytes / (1 << 20))} MB`
export const ratio = (value: number) => `${number(value)}×`
export const spread = ({ spread: share, count: samples }: Summary) =>
  samples < 2 ? noValue : `${Math.round(share * 100)} %`
export const millions = (perSecond: number) => `${number(perSecond / 1e6)} M/s`

/** A Markdown table whose columns are aligned in plain text as well; all but the first are right-aligned. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  )
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, column) => align(cells[column] ?? '', width, column)).join(' | ')} |`
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  return [line(header), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n')
}

function align(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width)
}
