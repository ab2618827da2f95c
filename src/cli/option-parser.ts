import { UsageError } from '../base/errors.ts'
import { quoteText } from '../base/escape.ts'
import { nearestMatch } from '../base/nearest.ts'
import type { OptionDefinition } from './option-table.ts'

export interface GivenOption<Name extends string> {
  readonly name: Name
  /** Empty for a flag. */
  readonly value: string
  /** `-p` or `--pid`: as it was written, abbreviations completed. */
  readonly spelling: string
}

export interface ParsedWords<Name extends string> {
  readonly options: readonly GivenOption<Name>[]
  /** The first word that is no option, and all that follow, whatever they look like. */
  readonly operands: readonly string[]
}

/**
 * Reads options as `getopt_long(3)` does with `+` in front of its letters: `-fPAT`, `-f PAT`, `--opt=VAL`,
 * `--opt VAL`, bundled flags (`-dV`), long options cut short as long as they stay unique, and an end at `--` or at the
 * first word that is no option. An option that answers (`--help`) ends the parsing.
 *
 * Why by hand: commander 14 knows no abbreviations, reports `--flag=VALUE` and the rest of a bundle as unknown options,
 * lets negative numbers through as operands, and writes and exits by itself.
 * @throws UsageError, naming the nearest option where there is one
 */
export function parseOptionWords<Name extends string>(
  table: readonly OptionDefinition<Name>[],
  words: readonly string[],
): ParsedWords<Name> {
  const options: GivenOption<Name>[] = []
  /** Records an option; true where it answers. Its argument is attached, or is the next word. */
  const accept = (
    definition: OptionDefinition<Name>,
    spelling: string,
    attached: string | undefined,
  ): boolean => {
    let value = attached ?? ''
    if (definition.argument !== undefined && attached === undefined) {
      if (next >= words.length) throw missingArgument(definition, spelling)
      value = words[next++]!
    }
    if (definition.again === 'refuse' && options.some((earlier) => earlier.name === definition.name)) {
      throw new UsageError(`${spelling} is given more than once`)
    }
    if (definition.choices !== undefined) checkChoice(definition.choices, spelling, value)
    options.push({ name: definition.name, value, spelling })
    return definition.answers === true
  }

  let next = 0
  while (next < words.length) {
    const word = words[next]!
    if (word === '--') return { options, operands: words.slice(next + 1) }
    if (!word.startsWith('-') || word === '-') return { options, operands: words.slice(next) }
    next++
    if (word.startsWith('--')) {
      const equals = word.indexOf('=')
      const name = equals < 0 ? word.slice(2) : word.slice(2, equals)
      const attached = equals < 0 ? undefined : word.slice(equals + 1)
      const definition = findLong(table, name)
      const spelling = `--${definition.name}`
      if (attached !== undefined && definition.argument === undefined) {
        throw new UsageError(`${spelling} takes no argument, and is given ${quoteText(attached)}`)
      }
      if (accept(definition, spelling, attached)) return { options, operands: [] }
      continue
    }
    const letters = Array.from(word).slice(1)
    for (let index = 0; index < letters.length; index++) {
      const definition = findShort(table, letters[index]!, word)
      const rest = letters.slice(index + 1).join('')
      const takesRest = definition.argument !== undefined && rest !== ''
      if (accept(definition, `-${letters[index]}`, takesRest ? rest : undefined))
        return { options, operands: [] }
      if (definition.argument !== undefined) break
    }
  }
  return { options, operands: [] }
}

function findLong<Name extends string>(table: readonly OptionDefinition<Name>[], name: string) {
  const exact = table.find((definition) => definition.name === name)
  if (exact !== undefined) return exact
  const begun = name === '' ? [] : table.filter((definition) => definition.name.startsWith(name))
  if (begun.length === 1) return begun[0]!
  if (begun.length > 1) {
    const candidates = begun.map((definition) => `--${definition.name}`).join(', ')
    throw new UsageError(`option ${quoteText(`--${name}`)} is ambiguous: it could be ${candidates}`)
  }
  throw unknownOption(`--${name}`, nearestLong(table, name))
}

/** `word` is where the letter stands: `-max-depth` is a long option that lacks a dash. */
function findShort<Name extends string>(
  table: readonly OptionDefinition<Name>[],
  letter: string,
  word: string,
) {
  const found = table.find((definition) => definition.short?.includes(letter))
  if (found !== undefined) return found
  const name = word.slice(1).replace(/=.*/s, '')
  const meantLong = name.length > 2 ? nearestLong(table, name) : undefined
  const otherCase = [letter.toLowerCase(), letter.toUpperCase()].find((other) =>
    table.some((definition) => definition.short?.includes(other)),
  )
  throw unknownOption(`-${letter}`, meantLong ?? (otherCase && `-${otherCase}`))
}

function nearestLong(table: readonly OptionDefinition[], name: string): string | undefined {
  const names = table.map((definition) => definition.name)
  const nearest = nearestMatch(name, names)
  return nearest && `--${nearest}`
}

function unknownOption(option: string, suggestion: string | undefined): UsageError {
  const fix = suggestion === undefined ? '' : `: did you mean '${suggestion}'?`
  return new UsageError(`unknown option ${quoteText(option)}${fix}`)
}

function missingArgument(definition: OptionDefinition, spelling: string): UsageError {
  const example = spelling.startsWith('--')
    ? `${spelling}=${definition.argument}`
    : `${spelling} ${definition.argument}`
  return new UsageError(`${spelling} needs an argument: ${example}`)
}

function checkChoice(choices: readonly string[], spelling: string, value: string): void {
  if (choices.includes(value)) return
  const nearest = nearestMatch(value, choices)
  const hint = nearest === undefined ? '' : `; did you mean '${nearest}'?`
  throw new UsageError(`${spelling}: ${quoteText(value)} is none of ${choices.join(', ')}${hint}`)
}
