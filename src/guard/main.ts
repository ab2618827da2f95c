/**
 * The guard: a process that outlives utrace. Should utrace be killed, it sees to it that every process that was traced
 * goes on as if it never had been: returns that are still hooked are put right, and what was stopped is continued.
 *
 * It also closes links that the kernel takes long to close, so that utrace need not wait for that.
 *
 * Standard input tells the traced processes, a line each: `+PID START_TICKS`, `-PID`; what is to be closed: `hold` and
 * `release`, with descriptors of utrace's; `done` before the end means that nothing is left to do. Its one argument is the
 * process id of utrace; for its other descriptors, and its answers, see `protocol.ts`.
 */
import { close, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { asPid, type Pid } from '../base/units.ts'
import { closeTracing, functionFlags } from '../bpf/function-flags.ts'
import { listReturns } from '../bpf/list-returns.ts'
import { tracedProcesses } from '../bpf/traced-processes.ts'
import { copyDescriptors } from '../sys/process.ts'
import { processStartTicks, processState, stoppedNewborns } from '../target/process.ts'
import { restoreReturns } from '../target/restore-returns.ts'
import { answers, descriptors, type GuardMessage, parseGuardMessage } from './protocol.ts'

/** utrace's own end takes time: its probes go one by one, and until then may still stop somebody. */
const rescueRounds = 100
const roundMs = 50

const closeFile = promisify(close)
const tracer = asPid(Number(process.argv[2]))
const traced = new Map<Pid, string>()
/** Copies of descriptors of utrace's, by the number that they have there. */
const held = new Map<number, number>()
const closing: Promise<void>[] = []
let isDone = false
// The flags live in memory that the BPF program reads: mapped now, because a rescue must be quick.
const flags = functionFlags(descriptors.functionsMap)

// What ends utrace from the terminal must not end its guard.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => {})

const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => take(parseGuardMessage(line)))
lines.on('close', () => void (isDone ? end() : rescue()))
// utrace waits for this before it lets a target run, unless it has been killed meanwhile.
answer('ready')

function take(message: GuardMessage | undefined): void {
  if (message?.kind === 'traced') traced.set(message.pid, message.startTicks)
  else if (message?.kind === 'forgotten') traced.delete(message.pid)
  else if (message?.kind === 'done') isDone = true
  else if (message?.kind === 'hold') hold(message.descriptors)
  else if (message?.kind === 'release') release(message.descriptors)
}

function hold(theirs: readonly number[]): void {
  try {
    for (const [index, copy] of copyDescriptors(tracer, theirs).entries()) held.set(theirs[index]!, copy)
    answer('held')
  } catch {
    answer('refused')
  }
}

/** utrace has closed its own: these are the last. */
function release(theirs: readonly number[]): void {
  for (const descriptor of theirs) {
    const copy = held.get(descriptor)
    if (copy !== undefined) closing.push(closeFile(copy))
    held.delete(descriptor)
  }
}

async function end(): Promise<void> {
  await Promise.all(closing)
  process.exit(0)
}

/** utrace may have been killed meanwhile. */
function answer(what: keyof typeof answers): void {
  attempt(() => writeSync(1, answers[what]))
}

async function rescue(): Promise<void> {
  closeTracing(flags)
  for (let round = 0; round < rescueRounds; round++) {
    // Asked before the last look, so that nothing can be stopped after that.
    const isLast = isGone(tracer) && round > 1
    findUntold()
    for (const [pid, startTicks] of traced) {
      // The id may be somebody else's by now.
      if (processStartTicks(pid) === startTicks) rescueProcess(pid)
    }
    if (isLast) break
    await new Promise((resolve) => setTimeout(resolve, roundMs))
  }
  process.exit(0)
}

/** The kernel side may have stopped processes of which utrace has not heard any more: those just started, and children. */
function findUntold(): void {
  for (const pid of tracedProcesses(descriptors.processesMap)) addUntold(pid)
  // Children that are not followed are in no list: they are stopped to be rid of probes, which go with utrace.
  for (const [parent, startTicks] of [...traced]) {
    if (processStartTicks(parent) === startTicks) stoppedNewborns(parent).forEach(addUntold)
  }
}

function addUntold(pid: Pid): void {
  const startTicks = processStartTicks(pid)
  if (startTicks !== undefined && !traced.has(pid)) traced.set(pid, startTicks)
}

function rescueProcess(pid: Pid): void {
  attempt(() => restoreReturns(pid, () => listReturns(descriptors.listReturnsProgram, pid)))
  attempt(() => processState(pid) === 'T' && process.kill(pid, 'SIGCONT'))
}

/** What fails here fails because somebody has ended. */
function attempt(act: () => unknown): void {
  try {
    act()
  } catch {}
}

function isGone(pid: Pid): boolean {
  const state = processState(pid)
  return pid === 1 || state === undefined || state === 'Z'
}
