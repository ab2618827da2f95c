import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'

export interface Outcome {
  readonly stdout: string
  readonly stderr: string
  /** As a shell says it: 128 + n after a signal. */
  readonly status: number
  readonly timedOut: boolean
}

export interface RunOptions {
  readonly input?: string
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  readonly timeoutMs?: number
  /** Called with the process once it runs. */
  readonly whileRunning?: (child: ChildProcess) => Promise<void> | void
}

/** All processes below `pid`, the deepest last. */
function descendants(pid: number): number[] {
  const children: number[] = []
  try {
    for (const tid of readdirSync(`/proc/${pid}/task`)) {
      const list = readFileSync(`/proc/${pid}/task/${tid}/children`, 'utf8')
      children.push(...list.split(' ').filter(Boolean).map(Number))
    }
  } catch {
    // It is gone, and its children are no longer its own.
  }
  return children.flatMap((child) => [child, ...descendants(child)])
}

function killTree(pid: number): void {
  for (const each of [...descendants(pid).reverse(), pid]) {
    try {
      process.kill(each, 'SIGKILL')
    } catch {
      // It has ended meanwhile.
    }
  }
}

export interface Started {
  readonly child: ChildProcess
  readonly pid: number
  /** What it has written so far. */
  readonly texts: { readonly stdout: string; readonly stderr: string }
  readonly outcome: Promise<Outcome>
  stop(): void
}

/** A process that is certain to end with the test: `stop` kills it and all below it. */
export function start(program: string, args: readonly string[], options: SpawnOptions = {}): Started {
  const child = spawn(program, [...args], options)
  let timedOut = false
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('latin1').on('data', (text: string) => {
      texts[name] += text
    })
  }
  const outcome = new Promise<Outcome>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      const status = signal === null ? (code ?? -1) : 128 + constants.signals[signal]
      resolve({ ...texts, status, timedOut })
    })
  })
  // A failure to start is reported to whoever awaits the outcome, and to nobody else.
  outcome.catch(() => {})
  const stop = () => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
    timedOut = true
    killTree(child.pid)
  }
  return { child, pid: child.pid ?? 0, texts, outcome, stop }
}

/** Runs a program to its end, or kills it and all below it after `timeoutMs` (default 20 s). */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Outcome> {
  const { child, outcome, stop } = start(program, args, { env: options.env ?? process.env, cwd: options.cwd })
  const timer = setTimeout(stop, options.timeoutMs ?? 20_000)
  try {
    child.stdin?.on('error', () => {})
    child.stdin?.end(options.input ?? '')
    if (child.pid !== undefined) await options.whileRunning?.(child)
    return await outcome
  } finally {
    clearTimeout(timer)
    stop()
  }
}
