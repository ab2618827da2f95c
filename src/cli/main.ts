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

/** @param words what `bin/utrace` recorded of its surroundings, then the words of the command line */
async function main([recorded = '', ...given]: readonly string[]): Promise<number> {
  const inherited = `${recorded};environment=${takeEnvironment()}`
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
