import { describe, expect, test } from 'vitest'
import { splitCommandWords } from './command-words.ts'
import { type CommandDescription, helpText, usageText } from './help.ts'
import { traceOptions } from './option-table.ts'
import { parseArguments } from './options.ts'
import { traceCommand } from './trace-command.ts'

const small: CommandDescription = {
  synopsis: ['[OPTION...] -p PID', '[OPTION...] PROGRAM'],
  summary: 'utrace: traces.',
  examples: [{ purpose: 'trace it', run: 'utrace it' }],
  options: [
    { name: 'pid', short: ['p'], argument: 'PID', group: 'Target', help: 'Trace PID' },
    {
      name: 'way',
      argument: 'WAY',
      choices: ['straight', 'roundabout'],
      group: 'How',
      help: `Which${' way'.repeat(20)}`,
    },
    { name: 'help', short: ['?', 'h'], group: 'Help', help: 'Show this help' },
  ],
  notes: ['That is all.'],
}

test('help', () => {
  expect(helpText(small)).toBe(`\
Usage: utrace [OPTION...] -p PID
   or: utrace [OPTION...] PROGRAM

utrace: traces.

Examples:
  # trace it
  $ utrace it

Target:
  -p, --pid=PID                   Trace PID

How:
      --way=straight|roundabout   Which way way way way way way way way way way way way way way
                                  way way way way way way

Help:
  -?, --help                      Show this help (also -h)

That is all.
`)
})

test('usage', () => {
  expect(usageText(small)).toBe(`\
Usage: utrace [-?h] [-p PID] [--pid=PID] [--way=straight|roundabout] [--help]
              -p PID | PROGRAM
`)
})

describe('of utrace', () => {
  test.each([
    ['help', helpText(traceCommand)],
    ['usage', usageText(traceCommand)],
  ])('%s names every option and fits the screen', (_, text) => {
    for (const { name } of traceOptions) expect(text).toContain(`--${name}`)
    for (const line of text.split('\n')) {
      expect(line.length, line).toBeLessThanOrEqual(96)
      expect(line).toBe(line.trimEnd())
    }
  })

  test.each(traceCommand.examples.map(({ run }) => run))('the example %s is a trace', (run) => {
    const [sudo, utrace, ...words] = splitCommandWords(run)
    expect([sudo, utrace]).toEqual(['sudo', 'utrace'])
    expect(parseArguments(words).kind).toBe('trace')
  })
})
