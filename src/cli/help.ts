import type { OptionDefinition } from './option-table.ts'

/** What a command says of itself, beside its options. */
export interface CommandDescription {
  /** Command lines without the program's own name. */
  readonly synopsis: readonly string[]
  readonly summary: string
  readonly examples: readonly { readonly purpose: string; readonly run: string }[]
  readonly options: readonly OptionDefinition[]
  /** Said after the options: one paragraph each. */
  readonly notes: readonly string[]
}

const lineWidth = 96
const helpColumn = 34

/** The ways to say what is to be traced. @param command that traces; undefined: `utrace` alone */
export function traceSynopsis(command?: string): readonly string[] {
  const ways = ['-c "COMMAND ARGS..."', '-p PID', '[--] PROGRAM ARGS...']
  return ways.map((way) => `${command === undefined ? '' : `${command} `}[OPTION...] ${way}`)
}

/** The text of `--help`. Ends with a newline. */
export function helpText(command: CommandDescription): string {
  const groups = new Set(command.options.map((option) => option.group))
  const lines = [
    ...command.synopsis.map((line, index) => `${index === 0 ? 'Usage:' : '   or:'} utrace ${line}`),
    '',
    ...wrap(command.summary, lineWidth),
    '',
    'Examples:',
    ...command.examples.flatMap(({ purpose, run }) => [`  # ${purpose}`, `  $ ${run}`]),
  ]
  for (const group of groups) {
    const options = command.options.filter((option) => option.group === group)
    lines.push('', `${group}:`, ...options.flatMap(optionLines))
  }
  for (const note of command.notes) lines.push('', ...wrap(note, lineWidth))
  return `${lines.join('\n')}\n`
}

/** The text of `--usage`, in the form that argp programs give it. Ends with a newline. */
export function usageText(command: CommandDescription): string {
  const flags = command.options.filter((option) => option.argument === undefined)
  const words = [
    `[-${flags.flatMap((option) => option.short ?? []).join('')}]`,
    ...command.options.flatMap((option) =>
      option.argument === undefined
        ? []
        : (option.short ?? []).map((letter) => `[-${letter} ${option.argument}]`),
    ),
    ...command.options.map((option) => `[${longForm(option)}]`),
  ]
  const indent = ' '.repeat('Usage: utrace '.length)
  // A pair such as `[-p PID]` stays on one line.
  const glued = words.map((word) => word.replaceAll(' ', '\0')).join(' ')
  const wrapped = wrap(glued, lineWidth - indent.length).map((line) => indent + line.replaceAll('\0', ' '))
  const ways = command.synopsis.map((line) => line.replace('[OPTION...] ', '')).join(' | ')
  return `Usage: utrace ${[...wrapped, indent + ways].join('\n').trimStart()}\n`
}

function optionLines(option: OptionDefinition): string[] {
  const [letter, ...otherLetters] = option.short ?? []
  const left = `  ${letter === undefined ? '   ' : `-${letter},`} ${longForm(option)}`
  const also = otherLetters.length > 0 ? ` (also ${otherLetters.map((other) => `-${other}`).join(', ')})` : ''
  const [first, ...rest] = wrap(option.help + also, lineWidth - helpColumn)
  const indent = ' '.repeat(helpColumn)
  const beside = left.length + 2 <= helpColumn ? [left.padEnd(helpColumn) + first] : [left, indent + first]
  return [...beside, ...rest.map((line) => indent + line)]
}

function longForm(option: OptionDefinition): string {
  const argument = option.choices?.join('|') ?? option.argument
  return `--${option.name}${argument === undefined ? '' : `=${argument}`}`
}

/** Breaks text at blanks into lines of at most `width` characters, where no single word is longer. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}
