/**
 * An error that is the user's to mend: its message is one line that names the thing, the reason and the fix,
 * and is printed as `utrace: MESSAGE` without a stack trace.
 */
export class UserError extends Error {
  override readonly name: string = 'UserError'
  /** 1 for a failure, 2 for wrong usage, 126 and 127 as a shell says them. */
  readonly exitStatus: number

  constructor(message: string, options: { cause?: unknown; exitStatus?: number } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.exitStatus = options.exitStatus ?? 1
  }
}

/** Wrong options or arguments: exit status 2. */
export class UsageError extends UserError {
  override readonly name = 'UsageError'

  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, { ...options, exitStatus: 2 })
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
