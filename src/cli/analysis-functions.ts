import type { Recording } from '../recording/recording.ts'
import { functionKey } from '../report/function-rows.ts'
import { matching } from './analysis.ts'

/** What reports know those functions of a recording by that match. @throws UserError where none does */
export function matchingKeys(
  option: string,
  patterns: readonly string[],
  recording: Recording,
): ReadonlySet<string> {
  const matches = matching(option, patterns, recording)
  return new Set(recording.functions.filter(({ fn }) => matches(fn)).map(({ fn }) => functionKey(fn)))
}
