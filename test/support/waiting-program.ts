import { asPid, type Pid } from '../../src/base/units.ts'
import { ModuleReader, type ProcessModules } from '../../src/session/modules.ts'
import { start } from './process.ts'
import { waitUntil } from './wait.ts'

/** Says that it runs, and waits. */
export const waits = `
  #include <stdio.h>
  int main(void) { puts("runs"); fflush(stdout); getchar(); return 0; }
`

/** Runs a program until it waits, and gives its modules. */
export async function whileWaiting<Result>(
  program: string,
  use: (modules: ProcessModules, pid: Pid) => Result | Promise<Result>,
  environment: NodeJS.ProcessEnv = {},
  args: readonly string[] = [],
): Promise<Result> {
  const running = start(program, args, { env: { ...process.env, ...environment } })
  try {
    await waitUntil(() => running.texts.stdout.includes('runs'))
    const pid = asPid(running.pid)
    return await use(new ModuleReader().read(pid), pid)
  } finally {
    running.stop()
    await running.outcome
  }
}
