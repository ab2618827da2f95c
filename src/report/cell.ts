import { formatDuration } from '../base/duration.ts'
import { escapeText } from '../base/escape.ts'
import { colourOfUnit, reset } from '../sink/time-text.ts'
import { compensatedResolutionNs } from '../trace/probe-costs.ts'

/** What a number in a table is; changes carry their sign. */
export type CellKind =
  | 'text'
  | 'count'
  | 'duration'
  /** One from which the cost of probes was taken off. */
  | 'compensated-duration'
  | 'percent'
  | 'count-change'
  | 'duration-change'
  | 'percent-change'

/** Undefined: there is no such number. */
export type CellValue = number | string | undefined

export interface Cell {
  readonly text: string
  /** An escape sequence, or empty. */
  readonly colour: string
}

const red = '\x1b[31m'
const green = '\x1b[32m'
const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

/** In groups of three digits, whatever the locale. */
export const countText = (count: number) => grouped.format(count)

/** `%7.3f` and a unit of two letters. */
export function durationText(ns: number): string {
  const { text, unit } = formatDuration(ns)
  return `${text} ${unit.padEnd(2)}`
}

/** A value as it is shown to people, with the colour that it has on a terminal. */
export function cellOf(kind: CellKind, value: CellValue): Cell {
  if (value === undefined) return { text: '-', colour: '' }
  if (typeof value === 'string') return { text: escapeText(value), colour: '' }
  switch (kind) {
    case 'compensated-duration':
      if (value < compensatedResolutionNs) return { text: '<0.1 us', colour: '' }
      return cellOf('duration', value)
    case 'duration':
      return { text: durationText(value), colour: colourOfUnit[formatDuration(value).unit] }
    case 'percent':
      return { text: `${value.toFixed(2)}%`, colour: '' }
    case 'count-change':
      return signed(value, countText(Math.abs(value)))
    case 'duration-change':
      return signed(value, durationText(Math.abs(value)).trimStart())
    case 'percent-change':
      return signed(value, `${Math.abs(value).toFixed(2)}%`)
    default:
      return { text: countText(value), colour: '' }
  }
}

function signed(value: number, magnitude: string): Cell {
  if (value === 0) return { text: magnitude, colour: '' }
  return value > 0 ? { text: `+${magnitude}`, colour: red } : { text: `-${magnitude}`, colour: green }
}

/** Text right-aligned within `width` characters. */
export function alignRight({ text, colour }: Cell, width: number, color: boolean): string {
  return color && colour !== '' ? `${colour}${text.padStart(width)}${reset}` : text.padStart(width)
}
