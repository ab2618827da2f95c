import { type GivenOption, type ParsedWords, parseOptionWords } from './option-parser.ts'
import type { OptionDefinition } from './option-table.ts'

/**
 * Reads words as `parseOptionWords` does, but options may stand after and between operands as well, as
 * `getopt_long(3)` has it by default: `diff A B --limit 5`. After `--` there are operands only.
 * @throws UsageError
 */
export function parseInterleavedWords<Name extends string>(
  table: readonly OptionDefinition<Name>[],
  words: readonly string[],
): ParsedWords<Name> {
  const options: GivenOption<Name>[] = []
  const operands: string[] = []
  for (let rest = words; rest.length > 0; ) {
    const parsed = parseOptionWords(table, rest)
    options.push(...parsed.options)
    const consumed = rest.length - parsed.operands.length
    const isEnd = rest[consumed - 1] === '--'
    operands.push(...(isEnd ? parsed.operands : parsed.operands.slice(0, 1)))
    if (isEnd) break
    rest = parsed.operands.slice(1)
  }
  return { options, operands }
}
