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

/** @param all what `bin/utrace` recorded of its surroundings, in several words, `--`, and the words of the command line */
async function main(all: readonly string[]): Promise<number> {
  const end = all.indexOf('--')
  const inherited = all.slice(0, end).join('')
  const given = all.slice(end + 1)
  const words = withCommandInFront(given)
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

/** One line for what the user can mend; everything else is a defect of utrace and shows where. */
function report(error: unknown): number {
  if (error instanceof ClosedPipeError) return 141
  if (error instanceof UserError) {
    const hint =
      error instanceof UsageError && !error.message.includes('--help') ? " (see 'utrace --help')" : ''
    printLine(`utrace: ${error.message}${hint}`)
    return error.exitStatus
  }
  printLine(`utrace: internal error: ${error instanceof Error ? error.stack : error}`)
  return 1
}

process.exit(await main(process.argv.slice(2)).catch(report))
