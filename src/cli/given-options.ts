import { UsageError } from '../base/errors.ts'
import type { GivenOption } from './option-parser.ts'

/** The options of one command line, by name. */
export class GivenOptions<Name extends string> {
  readonly #options: readonly GivenOption<Name>[]

  constructor(options: readonly GivenOption<Name>[]) {
    this.#options = options
  }

  has(name: Name): boolean {
    return this.#last(name) !== undefined
  }

  spelling(name: Name): string | undefined {
    return this.#last(name)?.spelling
  }

  /** Which of two options came last. */
  lastOf(...names: Name[]): Name | undefined {
    return this.#options.findLast((option) => names.includes(option.name))?.name
  }

  /** The value of the last one. */
  value(name: Name): string | undefined {
    return this.#last(name)?.value
  }

  all(name: Name, whenMissing: readonly string[]): readonly string[] {
    const values = this.#options.filter((option) => option.name === name).map((option) => option.value)
    return values.length > 0 ? values : whenMissing
  }

  /** The value of the last one, where `parse` finds no fault with it. */
  read<Value>(name: Name, parse: (text: string) => Value): Value | undefined {
    const option = this.#last(name)
    return option && naming(option, () => parse(option.value))
  }

  /** The values of all of them; each may be a comma list. */
  readAll<Value>(name: Name, parse: (text: string) => Value): readonly Value[] {
    return this.#options
      .filter((option) => option.name === name)
      .flatMap((option) => naming(option, () => option.value.split(',').map(parse)))
  }

  #last(name: Name): GivenOption<Name> | undefined {
    return this.#options.findLast((option) => option.name === name)
  }
}

/** Puts the option in front of what is wrong with its value. */
function naming<Value>(option: GivenOption<string>, read: () => Value): Value {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    throw new UsageError(`${option.spelling}: ${error.message}`, { cause: error })
  }
}
