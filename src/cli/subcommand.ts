import { existsSync } from 'node:fs'
import { UsageError } from '../base/errors.ts'
import { escapeText, quoteText } from '../base/escape.ts'
import { GivenOptions } from './given-options.ts'
import { type CommandDescription, helpText, usageText } from './help.ts'
import { parseOptionWords } from './option-parser.ts'
import type { OptionDefinition } from './option-table.ts'
import { printText } from './output.ts'

/** The options that every command has. */
export const helpOptions = [
  { name: 'help', short: ['?', 'h'], answers: true, group: 'Help', help: 'Show this help' },
  { name: 'usage', answers: true, group: 'Help', help: 'Show a short usage message' },
] as const satisfies readonly OptionDefinition[]

/**
 * Reads the words after a command's name.
 * @param parse `parseInterleavedWords` where options may come after operands too
 * @returns undefined where help was asked for, and given
 * @throws UsageError
 */
export function readCommandWords<Name extends string>(
  description: CommandDescription & { readonly options: readonly OptionDefinition<Name>[] },
  words: readonly string[],
  parse: typeof parseOptionWords<Name> = parseOptionWords,
): { given: GivenOptions<Name>; operands: readonly string[] } | undefined {
  const { options, operands } = parse(description.options, words)
  const last = options.at(-1)?.name
  if (last === 'help' || last === 'usage') {
    printText(last === 'help' ? helpText(description) : usageText(description))
    return undefined
  }
  return { given: new GivenOptions(options), operands }
}

/** For commands that take no more than `count` words besides options. @throws UsageError */
export function refuseOperandsBeyond(operands: readonly string[], count: number): void {
  const [unexpected] = operands.slice(count)
  if (unexpected === undefined) return
  const fix = existsSync(unexpected) ? `: name a recording with -i ${escapeText(unexpected)}` : ''
  throw new UsageError(`unexpected argument ${quoteText(unexpected)}${fix}`)
}
