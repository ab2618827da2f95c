import { writeSync } from 'node:fs'
import { Writable } from 'node:stream'
import { UsageError, UserError } from '../base/errors.ts'
import { parseInheritedState } from '../target/inherited.ts'
import { commands } from './commands/index.ts'
import { helpText, usageText } from './help.ts'
import { withCommandInFront } from './later-options.ts'
import { parseArguments } from './options.ts'
import { ClosedPipeError, printLine, printText } from './output.ts'
import { runTrace, showPlan } from './trace.ts'
import { traceCommand } from './trace-command.ts'
import { utraceVersion } from './version.ts'

/**
 * @param inherited what `bin/utrace` recorded of its surroundings
 * @param words those of the command line
 */
async function main(inherited: string, words: readonly string[]): Promise<number> {
  const [name = '', ...rest] = words
  if (Object.hasOwn(commands, name)) return (await commands[name]!()).run(rest, inherited)
  const invocation = parseArguments(words)
  switch (invocation.kind) {
    case 'help':
      printText(helpText(traceCommand))
      return 0
    case 'usage':
      printText(usageText(traceCommand))
      return 0
    case 'version':
      printText(`utrace ${utraceVersion()}\n`)
      return 0
    case 'plan':
      return showPlan(invocation.options, parseInheritedState(inherited))
    case 'trace':
      return runTrace(invocation.options, parseInheritedState(inherited))
  }
}

/** The environment that utrace was started with, as `bin/utrace` hands it on: in parts, and nobody else's business. */
function takeEnvironment(): string {
  let whole = ''
  for (let count = 0; ; count++) {
    const name = `UTRACE_ENVIRONMENT_${count}`
    const part = process.env[name]
    if (part === undefined) return whole
    whole += part
    delete process.env[name]
  }
}

/** One line for what the user can mend; everything else is a defect of utrace and shows where. */
function report(error: unknown, help: string): number {
  if (error instanceof ClosedPipeError) return 141
  if (error instanceof UserError) {
    const hint = error instanceof UsageError ? ` (see '${help}')` : ''
    printLine(`utrace: ${error.message}${hint}`)
    return error.exitStatus
  }
  printLine(`utrace: internal error: ${error instanceof Error ? error.stack : error}`)
  return 1
}

/** What has its own `--help`: the words may begin with a command. */
function helpOf([first = '']: readonly string[]): string {
  return Object.hasOwn(commands, first) ? `utrace ${first} --help` : 'utrace --help'
}

const [recorded = '', ...given] = process.argv.slice(2)
const inherited = `${recorded};environment=${takeEnvironment()}`
const words = withCommandInFront(given)
/**
 * Node looks at `process.stderr` whenever a pipe is closed, and opens it with that: the descriptor would no longer block,
 * for the traced program neither, which shares it.
 */
Object.defineProperty(process, 'stderr', {
  value: new Writable({
    write(text, _encoding, done) {
      writeSync(2, text)
      done()
    },
  }),
})

main(inherited, words)
  .catch((error: unknown) => report(error, helpOf(words)))
  .then((status) => process.exit(status))
