import type { Build } from '../support/build.ts'

/**
 * One run of the command as a user types it. In the words, `{TARGET}` is the built target, `{OUT}` a file for the trace and
 * `{TARGETS}` the folder of test/targets.
 */
export interface CommandCase {
  readonly name: string
  readonly build?: Build
  readonly words: readonly string[]
  /** Default 0. */
  readonly status?: number
  readonly stdout?: string | RegExp
  /** What stderr says: the trace, unless it went to `{OUT}`, and messages. */
  readonly stderr?: readonly RegExp[]
  readonly notOnStderr?: readonly RegExp[]
  /** What `{OUT}` holds. */
  readonly trace?: readonly RegExp[]
  readonly notInTrace?: readonly RegExp[]
  /** stderr is exactly one line: an error that names what failed. */
  readonly oneLine?: true
  readonly env?: Readonly<Record<string, string>>
}
