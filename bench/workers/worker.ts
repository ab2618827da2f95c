import { join } from 'node:path'
import { failureOf, NotMeasured, type Run, run } from '../measure.ts'
import { buildFolder } from '../paths.ts'

/**
 * Runs a module of this folder in a Node process of its own, so that no measurement warms another one up.
 * @returns what it has printed, as JSON, and the run
 */
export async function runWorker<Result>(
  name: string,
  args: readonly string[],
  limitMs = 120_000,
): Promise<{ result: Result; run: Run }> {
  const module = join(buildFolder, `bench/workers/${name}.js`)
  const finished = await run([process.execPath, module, ...args], { limitMs })
  if (finished.status !== 0) throw new NotMeasured(failureOf(finished))
  return { result: JSON.parse(finished.stdout), run: finished }
}

/** What a worker hands back. */
export function answer(result: unknown): void {
  process.stdout.write(JSON.stringify(result))
}

/** Milliseconds that something takes, and its result. */
export async function timed<Result>(
  action: () => Result | Promise<Result>,
): Promise<{ ms: number; result: Result }> {
  const begin = performance.now()
  const result = await action()
  return { ms: performance.now() - begin, result }
}
