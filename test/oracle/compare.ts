import { type Built, executableOf, objectOf } from '../support/build.ts'
import { readSymbols } from '../support/symbols.ts'
import { byThread, isCallEvent, type TraceLine } from '../support/trace.ts'
import { readOracleLog, type TrueEvent } from './log.ts'

/** `+name` begins a call, `-name` ends it. */
type Sequence = readonly string[]

/** Gives one name for all names of an address, and nothing for functions that cannot be compared. */
type Canonical = (names: readonly string[]) => string | undefined

/**
 * Comparable are the functions that the target's own source defines in both builds: neither what start-up code and libraries
 * bring, nor the instantiations of the C++ library, nor thunks and what reaches a thread's own objects, which not every compiler instruments.
 */
function canonicalNames(built: Built): Canonical {
  const definedIn = (folder: string) =>
    readSymbols(objectOf(folder, built.name)).functions.map((fn) => fn.name)
  const inPlain = new Set(definedIn(built.plain))
  const own = new Set(
    definedIn(built.instrumented).filter((name) => inPlain.has(name) && isInstrumented(name)),
  )
  const nameAt = new Map<number, string>()
  const canonical = new Map<string, string>()
  for (const { name, address } of readSymbols(executableOf(built.plain, built.name)).functions) {
    if (!own.has(name)) continue
    if (!nameAt.has(address)) nameAt.set(address, name)
    canonical.set(name, nameAt.get(address)!)
  }
  return (names) => names.map((name) => canonical.get(name)).find((name) => name !== undefined)
}

function isInstrumented(name: string): boolean {
  return !/^_ZN?K?S|^_ZN9__gnu_cxx|^_ZT[hvcWH]|^__tls_init$|^_ZnwmPv$|^_ZdlPvS_$|^__clang_call_terminate$|^_GLOBAL__|^__cxx_global_|^_Z41__static_init|not_instrumented/.test(
    name,
  )
}

/**
 * The truth per thread. The instrumented build logs no exit of a call that `longjmp` or (from clang) an exception took away:
 * with `unwinds`, a call from a function further out ends all calls inside it. What is open at the end ends there.
 */
function trueSequences(events: readonly TrueEvent[], canonical: Canonical, unwinds: boolean): Sequence[] {
  const threads = new Map<number, { open: string[]; sequence: string[] }>()
  for (const event of events) {
    const name = canonical(event.names)
    if (event.pid !== events[0]!.pid || name === undefined) continue
    const thread = threads.get(event.tid) ?? { open: [], sequence: [] }
    threads.set(event.tid, thread)
    const endDownTo = (depth: number) => {
      while (thread.open.length > depth) thread.sequence.push(`-${thread.open.pop()}`)
    }
    if (event.type === 'begin') {
      const caller = unwinds ? canonical(event.calledFrom) : undefined
      const callerDepth = caller === undefined ? -1 : thread.open.lastIndexOf(caller)
      if (callerDepth >= 0) endDownTo(callerDepth + 1)
      thread.open.push(name)
      thread.sequence.push(`+${name}`)
    } else {
      const depth = thread.open.lastIndexOf(name)
      if (depth >= 0) endDownTo(depth)
    }
  }
  return [...threads.values()].map(({ open, sequence }) => [
    ...sequence,
    ...open.reverse().map((name) => `-${name}`),
  ])
}

function tracedSequences(lines: readonly TraceLine[], module: string, canonical: Canonical): Sequence[] {
  const sequences: Sequence[] = []
  const pid = lines.find(isCallEvent)?.pid
  for (const events of byThread(lines).values()) {
    const sequence = events.flatMap((event) => {
      const name = event.module === module && event.pid === pid ? canonical([event.symbol]) : undefined
      return name === undefined ? [] : [`${event.type === 'begin' ? '+' : '-'}${name}`]
    })
    if (sequence.length > 0) sequences.push(sequence)
  }
  return sequences
}

/** Removes from both lists what both have: threads run concurrently, so only their number and contents can be compared. */
function unmatched(truth: Sequence[], traced: Sequence[]): [Sequence[], Sequence[]] {
  const left = new Map<string, Sequence[]>()
  for (const sequence of truth) {
    const key = sequence.join('\n')
    left.set(key, [...(left.get(key) ?? []), sequence])
  }
  const extra = traced.filter((sequence) => left.get(sequence.join('\n'))?.pop() === undefined)
  return [[...left.values()].flat(), extra]
}

function indented(sequence: Sequence, from: number, to: number): string {
  let depth = 0
  const lines = sequence.map(
    (step) => `${'  '.repeat(step.startsWith('+') ? depth++ : Math.max(0, --depth))}${step}`,
  )
  return lines.slice(Math.max(0, from), to).join('\n')
}

function firstDifference(truth: Sequence, traced: Sequence): string {
  let at = 0
  while (at < truth.length && truth[at] === traced[at]) at++
  return [
    `event ${at + 1} is ${traced[at] ?? '(none)'}, and should be ${truth[at] ?? '(none)'}`,
    `(${traced.length} events traced, ${truth.length} in truth)`,
    `--- both, up to there\n${indented(truth, at - 12, at)}`,
    `--- truth, from there\n${indented(truth, at, at + 8)}`,
    `--- trace, from there\n${indented(traced, at, at + 8)}`,
  ].join('\n')
}

/** The truth of one run of the instrumented build, as lines indented by depth, a thread after the other. */
export function trueTrees(built: Built, logPath: string, options: { unwinds?: boolean } = {}): string[] {
  const log = readOracleLog(logPath, built.instrumented, built.name)
  const sequences = trueSequences(log, canonicalNames(built), options.unwinds ?? false)
  return sequences.map((sequence) => indented(sequence, 0, sequence.length))
}

export interface Comparison {
  /** Events compared. */
  readonly events: number
  /** In words; undefined if the trace equals the truth event for event. */
  readonly difference: string | undefined
}

/** Compares a trace of the plain build with the log of a run of the instrumented build. */
export function compareWithOracle(
  built: Built,
  logPath: string,
  lines: readonly TraceLine[],
  options: { unwinds?: boolean } = {},
): Comparison {
  const canonical = canonicalNames(built)
  const log = readOracleLog(logPath, built.instrumented, built.name)
  const truth = trueSequences(log, canonical, options.unwinds ?? false)
  const traced = tracedSequences(lines, built.name, canonical)
  const events = truth.reduce((sum, sequence) => sum + sequence.length, 0)
  const [missing, extra] = unmatched(truth, traced)
  if (missing.length === 0 && extra.length === 0) return { events, difference: undefined }
  const threads = `${missing.length} of ${truth.length} threads differ; ${traced.length} threads traced`
  return { events, difference: `${threads}\n${firstDifference(missing[0] ?? [], extra[0] ?? [])}` }
}
