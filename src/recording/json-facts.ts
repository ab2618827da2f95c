import { entryProbes } from '../base/entry-probe.ts'
import { asTraceNs, asVirtualAddress } from '../base/units.ts'
import type { FunctionRecord } from '../trace/functions.ts'
import type { Disturbance, ProbeCost, ProbeCosts } from '../trace/probe-costs.ts'
import type { TraceStatistics } from '../trace/reconstruct.ts'
import type { RecordedModule, RecordedNote, RecordingEnd, RecordingOrigin } from './recording.ts'

/** A chunk of JSON does not hold what it should. */
export class FactError extends Error {
  override readonly name = 'FactError'
}

/** What `functions` chunks hold: a part of the table. */
export interface FunctionsPart {
  /** Index of the first. */
  readonly first: number
  readonly records: readonly FunctionRecord[]
}

/** What `tasks` chunks hold: names that were seen since the last one. */
export interface TasksPart {
  readonly processes: readonly { readonly pid: number; readonly name: string }[]
  readonly threads: readonly { readonly tid: number; readonly pid: number; readonly name: string }[]
}

type Facts = Readonly<Record<string, unknown>>

export function originToJson(origin: RecordingOrigin): Facts {
  return {
    ...origin,
    clockBaseNs: String(origin.clockBaseNs),
    realtimeBaseNs: String(origin.realtimeBaseNs),
  }
}

export function readOrigin(value: unknown): RecordingOrigin {
  const facts = object(value)
  const target = object(facts.target)
  return {
    utraceVersion: text(facts.utraceVersion),
    commandLine: list(facts.commandLine, text),
    target:
      target.kind === 'process'
        ? { kind: 'process', pid: count(target.pid), words: list(target.words, text) }
        : { kind: 'command', words: list(target.words, text) },
    host: text(facts.host),
    kernel: text(facts.kernel),
    cpuModel: text(facts.cpuModel),
    cpus: count(facts.cpus),
    clockBaseNs: bigCount(facts.clockBaseNs),
    realtimeBaseNs: bigCount(facts.realtimeBaseNs),
    ...(facts.probeCosts === undefined ? {} : { probeCosts: readProbeCosts(facts.probeCosts) }),
    settings: object(facts.settings),
  }
}

function readProbeCosts(value: unknown): ProbeCosts {
  const facts = object(value)
  const entry = object(facts.entry)
  const cost = (of: unknown): ProbeCost => {
    const { beforeNs, afterNs } = object(of)
    return { beforeNs: count(beforeNs), afterNs: count(afterNs) }
  }
  return {
    entry: { emulated: cost(entry.emulated), stepped: cost(entry.stepped), nop: cost(entry.nop) },
    libraryCallNs: count(facts.libraryCallNs),
    return: cost(facts.return),
    ret: cost(facts.ret),
    jump: cost(facts.jump),
    ...(facts.disturbance === undefined ? {} : { disturbance: readDisturbance(facts.disturbance) }),
  }
}

function readDisturbance(value: unknown): Disturbance {
  const { perSecond, ns } = object(value)
  return { perSecond: count(perSecond), ns: count(ns) }
}

export function readFunctions(value: unknown): FunctionsPart {
  const facts = object(value)
  const first = count(facts.first)
  return { first, records: list(facts.records, (record, index) => readFunction(record, first + index)) }
}

function readFunction(value: unknown, id: number): FunctionRecord {
  const facts = object(value)
  const fn = object(facts.fn)
  return {
    fn: {
      id,
      name: text(fn.name),
      symbol: text(fn.symbol),
      module: text(fn.module),
      kind: oneOf(fn.kind, ['function', 'library-call']),
      ...(fn.address === undefined ? {} : { address: asVirtualAddress(count(fn.address)) }),
    },
    entryDisplacement: count(facts.entryDisplacement),
    entryProbe: facts.entryProbe === undefined ? 'emulated' : oneOf(facts.entryProbe, entryProbes),
    wayOut: oneOf(facts.wayOut, ['return', 'ret', 'entry', 'none']),
    mayTailCall: facts.mayTailCall === true,
    loopsToEntry: facts.loopsToEntry === true,
    ...(facts.tailTargets === undefined
      ? {}
      : { tailTargets: list(facts.tailTargets, (address) => asVirtualAddress(count(address))) }),
  }
}

export function readModules(value: unknown): readonly RecordedModule[] {
  return list(value, (module) => {
    const { name, path, isExecutable, buildId } = object(module)
    return {
      name: text(name),
      path: text(path),
      isExecutable: isExecutable === true,
      ...(buildId === undefined ? {} : { buildId: text(buildId) }),
    }
  })
}

export function readTasks(value: unknown): TasksPart {
  const { processes, threads } = object(value)
  return {
    processes: list(processes, (task) => {
      const { pid, name } = object(task)
      return { pid: count(pid), name: text(name) }
    }),
    threads: list(threads, (task) => {
      const { tid, pid, name } = object(task)
      return { tid: count(tid), pid: count(pid), name: text(name) }
    }),
  }
}

export function readNote(value: unknown): RecordedNote {
  const facts = object(value)
  const note = { timeNs: count(facts.timeNs), text: text(facts.text) }
  return facts.tid === undefined ? note : { ...note, tid: count(facts.tid), pid: count(facts.pid) }
}

export function readEnd(value: unknown): RecordingEnd {
  const { endNs, statistics, functionsTraced, untraced, exit, stopped } = object(value)
  return {
    endNs: asTraceNs(count(endNs)),
    ...(statistics === undefined ? {} : { statistics: readStatistics(statistics) }),
    functionsTraced: count(functionsTraced),
    untraced: list(untraced, (entry) => {
      const { name, reason } = object(entry)
      return { name: text(name), reason: text(reason) }
    }),
    ...(exit === undefined ? {} : { exit: text(exit) }),
    ...(stopped === undefined ? {} : { stopped: text(stopped) }),
  }
}

function readStatistics(value: unknown): TraceStatistics {
  const { calls, threads, lostEvents, openCalls } = object(value)
  return {
    calls: count(calls),
    threads: count(threads),
    lostEvents: count(lostEvents),
    openCalls: count(openCalls),
  }
}

function object(value: unknown): Facts {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong('an object', value)
  return value as Facts
}

function list<Entry>(value: unknown, read: (entry: unknown, index: number) => Entry): readonly Entry[] {
  if (!Array.isArray(value)) throw wrong('a list', value)
  return value.map(read)
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw wrong('a text', value)
  return value
}

/** A whole number that is not negative. */
function count(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw wrong('a number', value)
  return value
}

function bigCount(value: unknown): bigint {
  if (typeof value !== 'string' || !/^\d{1,30}$/.test(value)) throw wrong('a number in digits', value)
  return BigInt(value)
}

function oneOf<Choice extends string>(value: unknown, choices: readonly Choice[]): Choice {
  const found = choices.find((choice) => choice === value)
  if (found === undefined) throw wrong(choices.join(' or '), value)
  return found
}

function wrong(expected: string, value: unknown): FactError {
  return new FactError(`${typeof value} where ${expected} should be`)
}
