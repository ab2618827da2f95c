import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

/** Why a measurement has no number. */
export class NotMeasured extends Error {
  override readonly name = 'NotMeasured'
}

/** A command that has run to its end. Times are CLOCK_MONOTONIC, in nanoseconds. */
export interface Run {
  readonly spawnedNs: number
  readonly exitedNs: number
  readonly status: number | NodeJS.Signals
  readonly stdout: string
  readonly stderr: string
  /** The most memory that the tool and its helpers had resident, without the target. 0: none was seen. */
  readonly peakBytes: number
}

export interface RunOptions {
  readonly limitMs: number
  /** The traced program: its memory is not the tool's. */
  readonly target?: string
  readonly cwd?: string
  readonly environment?: NodeJS.ProcessEnv
  /** Called every tenth of a second while it runs. */
  readonly watch?: (pid: number) => void
  /** Called with everything that it has written to standard error so far, whenever that is more. */
  readonly said?: (stderr: string, pid: number) => void
}

const watchIntervalMs = 100

/** Nanoseconds of CLOCK_MONOTONIC: exact in a double for the first 104 days of uptime. */
const now = () => Number(process.hrtime.bigint())

/** Runs a command. @throws NotMeasured if it is missing or takes too long: it is gone then, with all below it */
export async function run(command: readonly string[], options: RunOptions): Promise<Run> {
  const [file, ...args] = command as [string, ...string[]]
  const spawnedNs = now()
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own, so that what it leaves behind can be found.
    detached: true,
  })
  if (child.pid !== undefined) groups.add(child.pid)
  const texts = { stdout: '', stderr: '' }
  let peakBytes = 0
  const look = () => {
    if (child.pid === undefined) return
    peakBytes = Math.max(peakBytes, residentPeak(child.pid, options.target))
    options.watch?.(child.pid)
  }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('latin1').on('data', (text: string) => {
      texts[name] = (texts[name] + text).slice(-(1 << 20))
      look()
      if (name === 'stderr' && child.pid !== undefined) options.said?.(texts.stderr, child.pid)
    })
  }
  let timedOut = false
  const limit = setTimeout(() => {
    timedOut = true
    killTree(child.pid)
  }, options.limitMs)
  const watching = setInterval(look, watchIntervalMs)
  try {
    const { exitedNs, status } = await ended(child)
    if (timedOut) throw new NotMeasured(`not done within ${options.limitMs / 1000} s`)
    return { ...texts, spawnedNs, exitedNs, status, peakBytes }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new NotMeasured(`${file} is not installed`)
  } finally {
    clearTimeout(limit)
    clearInterval(watching)
    killGroup(child.pid)
  }
}

async function ended(child: ChildProcess): Promise<{ exitedNs: number; status: number | NodeJS.Signals }> {
  const exit = new Promise<{ exitedNs: number; status: number | NodeJS.Signals }>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve({ exitedNs: now(), status: signal ?? code ?? 0 }))
  })
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const result = await exit
  // What is still in the pipes; a helper that holds them open is not waited for.
  await Promise.race([closed, pause(1000, undefined, { ref: false })])
  return result
}

/** Processes below `pid`, parents first. */
function descendants(pid: number): number[] {
  try {
    const children = readdirSync(`/proc/${pid}/task`).flatMap((tid) =>
      readFileSync(`/proc/${pid}/task/${tid}/children`, 'latin1').split(' ').filter(Boolean).map(Number),
    )
    return children.flatMap((child) => [child, ...descendants(child)])
  } catch {
    // It has ended meanwhile.
    return []
  }
}

const groups = new Set<number>()
process.once('exit', () => groups.forEach(killGroup))
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))

function killGroup(pid: number | undefined): void {
  if (pid === undefined || !groups.delete(pid)) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Nobody of it is left.
  }
}

/** For a process that has not been waited for: its number is still its own. */
function killTree(pid: number | undefined): void {
  if (pid === undefined) return
  for (const each of [pid, ...descendants(pid)]) {
    try {
      process.kill(each, 'SIGKILL')
    } catch {
      // It has ended meanwhile.
    }
  }
}

function residentPeak(pid: number, target: string | undefined): number {
  let bytes = 0
  for (const each of [pid, ...descendants(pid)]) {
    try {
      if (readlinkSync(`/proc/${each}/exe`) === target) continue
      bytes += statusBytes(each, 'VmHWM')
    } catch {
      // It has ended meanwhile.
    }
  }
  return bytes
}

/** A quantity of /proc/PID/status: `VmHWM` (peak resident memory), `VmRSS`. @throws NodeJS.ErrnoException */
export function statusBytes(pid: number, field: 'VmHWM' | 'VmRSS'): number {
  const [, kib] = new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? []
  return Number(kib ?? 0) * 1024
}

/** What a program of bench/programs has said about itself. */
export interface ProgramTimes {
  readonly startedNs: number
  readonly endedNs: number
  readonly elapsedNs: number
  /** Processor time of the target alone. */
  readonly cpuNs: number
  readonly calls: number
}

/** @throws NotMeasured with the reason, if the program has not come to its end */
export function programTimes(result: Run): ProgramTimes {
  const start = /^bench start (\d+)$/m.exec(result.stdout)
  const end = /^bench end (\d+) (\d+) (\d+) (\d+)$/m.exec(result.stdout)
  if (start === null || end === null) throw new NotMeasured(failureOf(result))
  const [endedNs, elapsedNs, cpuNs, calls] = end.slice(1).map(Number) as [number, number, number, number]
  return { startedNs: Number(start[1]), endedNs, elapsedNs, cpuNs, calls }
}

/** Why a command has failed: the most telling thing it said, and how it ended. */
export function failureOf({ stderr, stdout, status }: Run): string {
  const lines = `${stdout}\n${stderr}`
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('bench '))
  // What follows the death of the program is only the tool's own clearing up.
  const death = lines.find((line) => /terminate called|segmentation fault|aborted/i.test(line))
  const reason = (death ?? lines.at(-1) ?? 'it said nothing').replaceAll('|', '/').slice(0, 160)
  return `${reason} (${typeof status === 'number' ? `status ${status}` : status})`
}
