import { UsageError } from '../base/errors.ts'
import { escapeText } from '../base/escape.ts'

/**
 * Splits a command as a POSIX shell splits a word list (Shell Command Language, 2.2 Quoting and 2.3 Token
 * Recognition), and does nothing else of what a shell does: `$x`, `*`, `|`, `~` and `#` stand for themselves.
 * Words are separated by blanks and newlines; `'…'` keeps everything, `"…"` everything but a backslash before one of
 * `$ \` " \`; elsewhere a backslash keeps the next character; a backslash before a newline removes both.
 * @throws UsageError that shows where an unclosed quote begins, or that the last backslash has nothing to keep
 */
export function splitCommandWords(command: string): string[] {
  const words: string[] = []
  /** The word being read; an empty one counts once something was quoted: `''`. */
  let word: string | undefined
  let index = 0
  while (index < command.length) {
    const character = command[index]!
    if (character === ' ' || character === '\t' || character === '\n') {
      if (word !== undefined) words.push(word)
      word = undefined
      index++
    } else if (character === "'" || character === '"') {
      const quoted = readQuoted(command, index)
      word = (word ?? '') + quoted.text
      index = quoted.end
    } else if (character === '\\') {
      if (index + 1 === command.length) {
        throw new UsageError(
          `the command ends in a backslash that quotes nothing: ${excerpt(command, index - 20)}`,
        )
      }
      if (command[index + 1] !== '\n') word = (word ?? '') + command[index + 1]
      index += 2
    } else {
      word = (word ?? '') + character
      index++
    }
  }
  if (word !== undefined) words.push(word)
  return words
}

/** The text between the quote at `start` and its partner, and the index behind that. */
function readQuoted(command: string, start: number): { readonly text: string; readonly end: number } {
  const quote = command[start]!
  let text = ''
  for (let index = start + 1; index < command.length; index++) {
    const character = command[index]!
    if (character === quote) return { text, end: index + 1 }
    const following = command[index + 1]
    if (quote === '"' && character === '\\' && following !== undefined && '$`"\\\n'.includes(following)) {
      if (following !== '\n') text += following
      index++
    } else {
      text += character
    }
  }
  throw new UsageError(`the ${quote} at column ${start + 1} is never closed: ${excerpt(command, start)}`)
}

function excerpt(command: string, start: number): string {
  const from = Math.max(0, start)
  const shown = escapeText(command.slice(from, from + 40))
  return `${from > 0 ? '…' : ''}${shown}${from + 40 < command.length ? '…' : ''}`
}
