import type { GivenOptions } from './given-options.ts'
import type { CommandDescription } from './help.ts'
import type { OptionDefinition, TraceOptionName } from './option-table.ts'
import { readTraceOptions, type TraceOptions } from './options.ts'
import { readCommandWords } from './subcommand.ts'

/**
 * Reads the words after the name of a command that traces: it has most options of `utrace`, and some of its own.
 * @returns undefined where help was asked for, and given
 * @throws UsageError
 */
export function readTraceWords<Name extends string>(
  description: CommandDescription & { readonly options: readonly OptionDefinition<Name>[] },
  words: readonly string[],
): { given: GivenOptions<Name>; trace: TraceOptions } | undefined {
  const read = readCommandWords<Name>(description, words)
  if (read === undefined) return undefined
  const { given, operands } = read
  // An option of a trace that the command does not have is one that is never given.
  const trace = readTraceOptions(given as unknown as GivenOptions<TraceOptionName>, operands)
  return { given, trace }
}
