import { type OptionDefinition, traceOptions } from './option-table.ts'

/** What `--format` says with `--report`; other formats are those of `utrace report`. */
const commandOfFormat: Readonly<Partial<Record<string, readonly string[]>>> = {
  summary: ['report'],
  'call-graph': ['graph'],
  chrome: ['export', '--to', 'chrome'],
  'flame-graph': ['export', '--to', 'flame-graph'],
}

/**
 * eBPF-utrace has `--record` and `--report` among its options where utrace has commands: command lines that were
 * written for it mean the same here. Words that belong to the traced program are left alone.
 * @returns the words with the command in front, or as they are
 */
export function withCommandInFront(words: readonly string[]): readonly string[] {
  const options = optionPositions(words)
  const at = options.find((position) => words[position] === '--record' || words[position] === '--report')
  if (at === undefined) return words
  const isFormat = (position: number) => /^--format(?:=|$)/.test(words[position]!)
  const formatAt = words[at] === '--report' ? options.find(isFormat) : undefined
  if (formatAt !== undefined) {
    const [, attached] = words[formatAt]!.split('=')
    const command = commandOfFormat[attached ?? words[formatAt + 1] ?? '']
    const dropped = new Set([at, formatAt, ...(attached === undefined ? [formatAt + 1] : [])])
    if (command !== undefined) return [...command, ...words.filter((_, position) => !dropped.has(position))]
  }
  return [words[at]!.slice(2), ...words.toSpliced(at, 1)]
}

/** Where options stand, up to the traced program's own words; not their arguments. */
function optionPositions(words: readonly string[]): number[] {
  const positions: number[] = []
  for (let index = 0; index < words.length; index += takesNextWord(words[index]!) ? 2 : 1) {
    if (words[index] === '--' || !words[index]!.startsWith('-')) break
    positions.push(index)
  }
  return positions
}

function takesNextWord(word: string): boolean {
  const known: readonly OptionDefinition[] = traceOptions
  return known.some(
    ({ name, short, argument }) =>
      argument !== undefined && (word === `--${name}` || short?.some((letter) => word === `-${letter}`)),
  )
}
