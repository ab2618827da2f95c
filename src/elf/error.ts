import { UserError } from '../base/errors.ts'

/** Why a file cannot be used: the caller may phrase a better fix for some of them. */
export type ElfProblem =
  | 'not-elf'
  | 'script'
  | '32-bit'
  | 'foreign-machine'
  | 'not-loadable'
  | 'damaged'
  | 'unreadable'

/** A file that is not an ELF program or library that can be traced here. */
export class ElfError extends UserError {
  override readonly name = 'ElfError'
  readonly problem: ElfProblem
  readonly path: string
  /** With the problem `script`: the program that its first line names, and the one argument it may give it. */
  readonly script: { readonly interpreter: string; readonly argument: string | undefined } | undefined

  constructor(
    problem: ElfProblem,
    path: string,
    reason: string,
    options: { cause?: unknown; script?: ElfError['script']; exitStatus?: number } = {},
  ) {
    super(`${path}: ${reason}`, options)
    this.problem = problem
    this.path = path
    this.script = options.script
  }
}
