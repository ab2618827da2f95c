import { UsageError } from '../base/errors.ts'
import { quoteText } from '../base/escape.ts'
import { nearestMatch } from '../base/nearest.ts'
import { tableFormats } from '../report/table.ts'
import type { GivenOptions } from './given-options.ts'
import type { OptionDefinition } from './option-table.ts'

const group = 'Output'

export const outputOption = {
  name: 'output',
  short: ['o'],
  argument: 'FILE',
  again: 'refuse',
  group,
  help: 'Write to FILE instead of stdout',
} as const satisfies OptionDefinition

/** The options that commands share which print text. */
export const textOutputOptions = [
  outputOption,
  {
    name: 'color',
    argument: 'WHEN',
    choices: ['auto', 'always', 'never'],
    group,
    help: 'Colour the output (default: auto, on a terminal)',
  },
  { name: 'no-pager', group, help: 'Do not show the output in $PAGER (or less) on a terminal' },
] as const satisfies readonly OptionDefinition[]

export const tableFormatOption = {
  name: 'format',
  argument: 'FORMAT',
  choices: tableFormats,
  group,
  help: 'How to write it (default: table)',
} as const satisfies OptionDefinition

export const limitOption = {
  name: 'limit',
  short: ['n'],
  argument: 'COUNT',
  group,
  help: 'Show at most COUNT lines, and how many there are beyond',
} as const satisfies OptionDefinition

export type ColorChoice = 'auto' | 'always' | 'never'

/** @throws UsageError */
export function parseCount(text: string): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0
  if (count < 1) throw new UsageError(`${quoteText(text)} is not a count: give a whole number from 1`)
  return count
}

/** How many lines are shown: all, unless `--limit` says it. @throws UsageError */
export function readLimit<Other extends string>(given: GivenOptions<'limit' | Other>): number {
  return given.read('limit', parseCount) ?? Number.POSITIVE_INFINITY
}

/** `10%` or `10`. @throws UsageError */
export function parsePercent(text: string): number {
  const digits = /^(\d{1,9}(?:\.\d{1,9})?)\s*%?$/.exec(text.trim())?.[1]
  if (digits === undefined) {
    throw new UsageError(`${quoteText(text)} is not a percentage: give a number such as 10%`)
  }
  return Number(digits)
}

/** Reads one name of a column. @throws UsageError that names those there are */
export function columnParser(known: readonly string[]): (text: string) => string {
  return (text) => {
    const name = text.trim().toLowerCase()
    if (known.includes(name)) return name
    const nearest = nearestMatch(name, known)
    const hint = nearest === undefined ? `: there are ${known.join(', ')}` : `: did you mean '${nearest}'?`
    throw new UsageError(`there is no column ${quoteText(text)}${hint}`)
  }
}
