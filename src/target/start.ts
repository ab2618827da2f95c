import { type ChildProcess, spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import { asPid, type Pid } from '../base/units.ts'
import { setOpenFilesLimit, withoutAddressRandomization } from '../sys/process.ts'
import type { InheritedState } from './inherited.ts'

/** The user that a command runs as. */
export interface TargetUser {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly home: string
}

export interface StartOptions {
  /** The resolved file, and the command's words: the first is its own name for itself. */
  readonly file: string
  readonly words: readonly string[]
  readonly environment: NodeJS.ProcessEnv
  readonly user?: TargetUser | undefined
  readonly randomizeAddresses: boolean
  readonly inherited: InheritedState
}

/** How a command ended. */
export type ExitReport = { readonly status: number } | { readonly signal: NodeJS.Signals }

/** A command that utrace has started: its child process. */
export interface StartedCommand {
  readonly pid: Pid
  readonly ended: Promise<ExitReport>
}

/** The words to run, with the programs before them that only prepare the process and then become the next. */
export function wrappedCommand(options: Pick<StartOptions, 'file' | 'words' | 'user' | 'inherited'>) {
  const { ignoredSignals, blockedSignals, openFilesLimit } = options.inherited
  const wrappers: string[][] = []
  if (openFilesLimit !== undefined && becomesAnotherUser(options)) {
    wrappers.push(['prlimit', `--nofile=${openFilesLimit}:`])
  }
  if (ignoredSignals.length > 0 || blockedSignals.length > 0) {
    const flag = (name: string, signals: readonly string[]) =>
      signals.length > 0 ? [`--${name}-signal=${signals.join(',')}`] : []
    wrappers.push(['env', ...flag('ignore', ignoredSignals), ...flag('block', blockedSignals)])
  }
  if (options.user !== undefined) {
    wrappers.push([
      'setpriv',
      `--reuid=${options.user.uid}`,
      `--regid=${options.user.gid}`,
      '--init-groups',
      '--',
    ])
  }
  return { words: [...wrappers.flat(), ...options.words], wrappers: wrappers.length }
}

/**
 * Starts a command with the standard streams, descriptors, signals and limits that utrace itself was started with.
 * The caller has armed the kernel to stop it: when this returns, the command's image is in place (or that of a
 * wrapper, which is not stopped), and it waits before its first instruction.
 * @throws NodeJS.ErrnoException if it cannot be executed
 */
export async function startCommand(options: StartOptions): Promise<StartedCommand> {
  const { words, wrappers } = wrappedCommand(options)
  const [name, ...args] = words as [string, ...string[]]
  const start = () =>
    spawn(wrappers > 0 ? name : options.file, args, {
      argv0: name,
      stdio: inheritedStreams(options.inherited.descriptors),
      env:
        options.user === undefined ? options.environment : environmentOf(options.user, options.environment),
    })
  const child = options.randomizeAddresses ? start() : withoutAddressRandomization(start)
  const ended = exitReport(child)
  const pid = await startedPid(child)
  const { openFilesLimit } = options.inherited
  if (openFilesLimit !== undefined && !becomesAnotherUser(options)) setOpenFilesLimit(pid, openFilesLimit)
  return { pid, ended }
}

/** As soon as it has other ids, its limits can only be set with CAP_SYS_RESOURCE (prlimit(2)), which root may lack. */
function becomesAnotherUser({ file, user }: Pick<StartOptions, 'file' | 'user'>): boolean {
  const setIdBits = 0o6000
  return user !== undefined || ((statSync(file, { throwIfNoEntry: false })?.mode ?? 0) & setIdBits) !== 0
}

/** Descriptors keep their numbers; those that utrace was not given stay closed. */
function inheritedStreams(descriptors: readonly number[]): (number | 'inherit' | 'ignore')[] {
  const streams: (number | 'inherit' | 'ignore')[] = ['inherit', 'inherit', 'inherit']
  for (const descriptor of descriptors) {
    while (streams.length < descriptor) streams.push('ignore')
    streams[descriptor] = descriptor
  }
  return streams
}

function environmentOf(user: TargetUser, environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...environment, HOME: user.home, USER: user.name, LOGNAME: user.name }
}

function startedPid(child: ChildProcess): Promise<Pid> {
  if (child.pid !== undefined) return Promise.resolve(asPid(child.pid))
  return new Promise((_, reject) => child.once('error', reject))
}

function exitReport(child: ChildProcess): Promise<ExitReport> {
  return new Promise((resolve) => {
    child.once('exit', (status, signal) => resolve(signal === null ? { status: status ?? 0 } : { signal }))
  })
}
