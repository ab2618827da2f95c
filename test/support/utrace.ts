import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Outcome, type RunOptions, run } from './process.ts'
import { parseTrace, type TraceLine } from './trace.ts'

/** The command under test: the one of this checkout, unless the environment names another. */
export const utrace = process.env.UTRACE ?? join(import.meta.dirname, '../../bin/utrace')

/** A path for a file of one test; `remove` takes the file away. */
export function temporaryFile(suffix = ''): { path: string; read(): string; remove(): void } {
  const path = join(tmpdir(), `utrace-test-${randomBytes(6).toString('hex')}${suffix}`)
  return {
    path,
    read: () => (existsSync(path) ? readFileSync(path, 'utf8') : ''),
    remove: () => rmSync(path, { force: true, recursive: true }),
  }
}

/** utrace's own lines on stderr begin with its name; the rest is the target's. */
export function splitStderr(stderr: string): { own: string[]; target: string } {
  const isOwn = (line: string) => line.startsWith('utrace: ')
  const lines = stderr.split(/(?<=\n)/)
  return {
    own: lines.filter(isOwn).map((line) => line.trimEnd()),
    target: lines.filter((line) => !isOwn(line)).join(''),
  }
}

export interface Traced extends Outcome {
  readonly lines: readonly TraceLine[]
  readonly messages: readonly string[]
  readonly targetStderr: string
}

/** Runs utrace with JSON lines to a file. `command` is what follows the options: `-- PROGRAM ARGS`, `-p PID`. */
export async function traceToJson(
  options: readonly string[],
  command: readonly string[],
  how: RunOptions = {},
): Promise<Traced> {
  const output = temporaryFile('.jsonl')
  try {
    const outcome = await run(utrace, ['--format', 'jsonl', '-o', output.path, ...options, ...command], how)
    const { own, target } = splitStderr(outcome.stderr)
    return { ...outcome, lines: parseTrace(output.read()), messages: own, targetStderr: target }
  } finally {
    output.remove()
  }
}
