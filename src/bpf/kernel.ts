import { readFileSync } from 'node:fs'
import { type EntryProbe, entryProbes } from '../base/entry-probe.ts'
import { UserError } from '../base/errors.ts'
import type { EventConsumer } from '../base/event.ts'
import {
  asTid,
  asTraceNs,
  type DurationNs,
  type FileOffset,
  type Pid,
  type RuntimeAddress,
  type Tid,
  type TraceNs,
} from '../base/units.ts'
import { isPermissionProblem } from '../sys/libc.ts'
import { mapSharedMemory } from '../sys/memory.ts'
import { blockUntilReadable, openWakeUp, waitReadable } from '../sys/poll.ts'
import type { KernelTypes } from './btf.ts'
import { readCachedKernelTypes } from './cached-kernel-types.ts'
import { ControlRing } from './control-ring.ts'
import { onlineCpus, possibleCpuCount } from './cpus.ts'
import { EventRing, eventRingBytes, eventRingRecords } from './event-ring.ts'
import { beginSampling, closeTracing, functionFlags, limitCalls, pauseTracing } from './function-flags.ts'
import {
  controlKind,
  cookie,
  cpuWord,
  cpuWords,
  depthLimitMax,
  displacementWordsMax,
  functionFlag,
  hookedReturnBytes,
  kernelMembers,
  processFlag,
  processValueBytes,
  recordBytes,
  stackRecord,
  unwinderThrows,
  waitWords,
} from './layout.ts'
import {
  attachRawTracepoint,
  attachUprobes,
  attachUprobesAsync,
  type BpfLink,
  detachAll,
  type UprobeSet,
} from './link.ts'
import { type HeldThread, listHeld } from './list-held.ts'
import { BpfMap, mapType, readOnlyForPrograms, u32Bytes } from './map.ts'
import { EventMerger } from './merge.ts'
import { readBpfObject } from './object.ts'
import { pageBytes, roundToPage } from './pages.ts'
import { loadProgram } from './program.ts'
import { runContext, runContextUnknown } from './run-context.ts'
import { KernelStatistics, statisticsValueBytes } from './statistics.ts'
import { type Wait, Waits } from './waits.ts'

/** A return address on a thread's stack that the kernel has replaced. */
export interface HookedReturn {
  readonly slot: RuntimeAddress
  readonly returnAddress: RuntimeAddress
  /** Where the entry probe sits that had it replaced. */
  readonly probe: RuntimeAddress
}

/**
 * What became of a traced process. But for `ended` it has been stopped, and waits until it is told to go on:
 * before the first instruction of a new image (`started`, `exec`) or of a child (`forked`, or `left` if it is not to be
 * traced), in the dynamic linker (`loaded`), or because a ring is nearly full (`full`). For its stack a thread may wait alone.
 */
export type ProcessReport =
  | { readonly kind: 'started' | 'loaded' | 'exec' | 'full' | 'ended'; readonly pid: Pid }
  | { readonly kind: 'forked' | 'left'; readonly pid: Pid; readonly parent: Pid }
  /** Many returns are hooked, and this function calls itself once more: its return must be seen in another way. */
  | { readonly kind: 'deep'; readonly pid: Pid; readonly functionId: number }
  | StackReport

/**
 * A thread is about to read its stack (`unwinds`: true return addresses are to be put in the place of the hooked ones), or
 * has just done so for an exception, which is `caught`: what is left of these returns may be hooked again.
 */
export interface StackReport {
  readonly kind: 'unwinds' | 'caught'
  readonly pid: Pid
  readonly tid: Tid
  readonly returns: readonly HookedReturn[]
  /** Of `unwinds`: a C++ exception is thrown, and `caught` will be reported. */
  readonly mayHookAgain: boolean
  /** What stands on the stack where a return is hooked. */
  readonly trampoline: RuntimeAddress
  /** Where the thread waits on its CPU. Undefined: its process is stopped. */
  readonly wait: Wait | undefined
  readonly atNs: TraceNs
}

/** What the hit of a probe costs, in nanoseconds. */
export interface HitCosts {
  readonly entryNs: Readonly<Record<EntryProbe, number>>
  /** What the entry of a library call costs more. */
  readonly libraryCallNs: number
  readonly retNs: number
  readonly jumpNs: number
  readonly hookedReturnNs: number
}

/** Probes on instructions of one file, in one process. */
export interface ProbeSet {
  readonly path: string
  readonly pid: Pid
  /** Exits first: they are attached in this order, and a call whose entry is seen must have its exit seen too. */
  readonly sites: readonly ProbedInstruction[]
}

export interface ProbedInstruction {
  readonly offset: FileOffset
  readonly functionId: number
  /** `call`: an entry whose return is hooked; `entry`: one whose return is not; `exit`: where a function leaves. */
  readonly role: 'call' | 'entry' | 'exit'
  /** Of an entry: what the kernel does there, which decides what it costs. Emulated where nothing is said. */
  readonly entryProbe?: EntryProbe
  /** An entry that counts only if the call returns into the program's own code. */
  readonly isLibraryCall?: boolean
  /** Bytes by which the stack pointer lies below the return address. */
  readonly stackDisplacement?: number
  /** For a conditional jump by which a function leaves: the condition code on which it is taken. */
  readonly condition?: number | undefined
  /** An exit that the kernel emulates: it is reported as `jump`. */
  readonly isJump?: boolean
}

const objectPath = new URL('../../bpf/utrace.bpf.o', import.meta.url)

const ringBytesTotal = 64 << 20
const ringBytesMin = 1 << 20
const ringBytesMax = 16 << 20

/** Of a ring that is fuller than this a thread waits for the reader; the rest is for those that have not stopped yet. */
const waitingShare = 1 / 2

/** The ring size that shares a fixed amount of memory between the CPUs: a power of two. */
export function defaultRingBytes(cpus: number): number {
  const share = 2 ** Math.floor(Math.log2(ringBytesTotal / cpus))
  return Math.min(ringBytesMax, Math.max(ringBytesMin, share))
}

/**
 * The kernel side of one trace: programs, maps, rings and links. All of it goes when this process ends, however it
 * ends.
 */
export class Kernel {
  readonly #programs = new Map<string, number>()
  readonly #load: (name: string) => number
  readonly #setHitCosts: (costs: HitCosts) => void
  readonly #makeStatistics: (functions: number, alsoTrace: boolean) => KernelStatistics
  #programKind: 'probe' | 'stat' = 'probe'
  readonly #control: ControlRing
  readonly #controlFd: number
  readonly #closed = openWakeUp()
  readonly #merger: EventMerger
  readonly #cpuStates: Uint32Array
  /** Threads that wait on their CPU. */
  readonly waits: Waits
  readonly #functionFlags: Uint8Array
  readonly #functionsFd: number
  readonly #processes: BpfMap
  readonly #start: BpfMap
  readonly #continued: BpfMap
  #hasSessions: boolean | undefined
  /** What each CPU's ring has room for. */
  readonly ringBytes: number
  readonly #lossless: boolean
  /** Whether this kernel tells which returns are hooked, so that they can be put right for an unwinder. */
  readonly seesHookedReturns: boolean
  /**
   * Whether a return probe leaves a process alone whose system calls are filtered. Its trampoline makes a system call of
   * its own since Linux 6.11, which filters did not let pass at first. Kernels with `uprobe` as well have it mended.
   */
  get returnProbesPassSeccomp(): boolean {
    this.#passSeccomp ??=
      this.#types.functionId('__x64_sys_uretprobe') === undefined ||
      this.#types.functionId('__x64_sys_uprobe') !== undefined
    return this.#passSeccomp
  }
  #passSeccomp: boolean | undefined
  readonly #types: KernelTypes
  readonly #baseNs: bigint
  /** Whether child processes can be stopped before they run (Linux 6.13). */
  followsForks = true
  /**
   * @param baseNs CLOCK_MONOTONIC time that becomes trace time 0
   * @param ringBytes what each CPU's ring may take, 512 MB at most
   * @param options `lossless`: threads are stopped before a ring overflows, and told to go on by whoever reads it;
   *   `sessions: false` does without uprobe sessions where the kernel has them, and `runContext: false` without what it
   *   says of a hit by itself, for tests; `threads`: only their calls are
   *   reported; `sampleInterval`: once sampling has begun, one call in so many is drawn, and reported with those below it;
   *   `depthLimit`: once it holds, calls with so many others around them are not reported, as far as the kernel can tell;
   *   `durationMinNs`: so are calls that take less, see `listHeldCalls`
   * @throws UserError where the kernel refuses or lacks something, with the reason and the fix
   */
  constructor(
    baseNs: bigint,
    ringBytes?: number,
    options: {
      readonly sessions?: boolean
      readonly runContext?: boolean
      readonly lossless?: boolean
      readonly threads?: readonly Tid[]
      readonly sampleInterval?: number | undefined
      readonly depthLimit?: number | undefined
      readonly durationMinNs?: DurationNs | undefined
    } = {},
  ) {
    if (options.sessions === false) this.#hasSessions = false
    this.#lossless = options.lossless === true
    const { threads = [], sampleInterval, depthLimit = Number.POSITIVE_INFINITY, durationMinNs = 0 } = options
    const object = readBpfObject(readFileSync(objectPath))
    const types = readCachedKernelTypes()
    this.#types = types
    this.#baseNs = baseNs
    const cpus = onlineCpus()
    const possibleCpus = possibleCpuCount()

    const ringRecords = eventRingRecords(ringBytes ?? defaultRingBytes(cpus.length))
    this.ringBytes = ringRecords * recordBytes
    const ringStride = eventRingBytes(ringRecords)
    // CPUs that are off now may come.
    const rings = Math.max(...cpus) + 1
    const maps = new Map<string, BpfMap>()
    for (const [name, definition] of object.maps) {
      if (name === 'statistics' || name === 'threads') continue
      const isPerCpu = definition.maxEntries === 0 && definition.type !== mapType.taskStorage
      const sizes =
        name === 'rings'
          ? { valueSize: ringStride, maxEntries: rings }
          : isPerCpu && { maxEntries: possibleCpus }
      maps.set(name, new BpfMap(name, { ...definition, ...sizes }))
    }
    const map = (name: string) => maps.get(name)!

    const offsets = kernelMembers.map(([structure, member]) => types.memberOffset(structure, member))
    // Of `uprobes_state`, `xol_area` is the first member.
    this.seesHookedReturns = offsets.every((offset) => offset !== undefined)
    const ringLimit = this.#lossless ? ringRecords * waitingShare : 0
    const constants = [
      process.pid,
      ...offsets.map((offset) => offset ?? 0),
      ...(options.runContext === false ? runContextUnknown : runContext(types)),
      ringLimit,
      ringRecords,
      Math.log2(ringRecords),
      threads.length > 0 ? 1 : 0,
      sampleInterval === undefined ? 0 : Math.round(2 ** 32 / sampleInterval),
      depthLimit <= depthLimitMax ? depthLimit : 0,
      Math.min(durationMinNs, 2 ** 32 - 1),
      cpus.length > 1 ? 1 : 0,
    ]
    const bindings = {
      mapFd: (name: string) => map(name).fd,
      constantsFd: constantsMap([...constants, 0, 0]).fd,
      kernelFunctionId: types.functionId,
      attachedTypeId: (section: string, name: string) =>
        section === 'iter' ? types.functionId(`bpf_iter_${name}`) : types.typedefId(`btf_trace_${name}`),
    }
    this.#load = (name) => loadProgram(object, name, bindings)
    this.#makeStatistics = (functions, alsoTrace) => {
      const sized = (name: string, maxEntries: number) =>
        maps.set(name, new BpfMap(name, { ...object.maps.get(name)!, maxEntries }))
      sized('threads', 0)
      sized('statistics', functions * possibleCpus)
      bindings.constantsFd = constantsMap([...constants, functions, alsoTrace ? 1 : 0]).fd
      const bytes = roundToPage(functions * possibleCpus * statisticsValueBytes)
      const words = new Uint32Array(mapSharedMemory(map('statistics').fd, 0, bytes, 'read'))
      return new KernelStatistics(words, functions, possibleCpus)
    }
    this.#processes = map('processes')
    this.#continued = map('continued')
    this.#start = map('start')
    this.#setHitCosts = (costs) => map('hit_costs').update(0, hitCostsValue(costs))
    for (const tid of threads) map('wanted_threads').update(tid, u32Bytes(1))
    const cpuBytes = roundToPage(possibleCpus * cpuWords * 4)
    this.#cpuStates = new Uint32Array(mapSharedMemory(map('cpus').fd, 0, cpuBytes, 'write'))
    const waitBytes = roundToPage(possibleCpus * waitWords * 4)
    this.waits = new Waits(new Uint32Array(mapSharedMemory(map('waits').fd, 0, waitBytes, 'write')))
    this.#functionsFd = map('functions').fd
    this.#functionFlags = functionFlags(this.#functionsFd)
    this.#controlFd = map('control').fd
    this.#control = controlRing(map('control').fd, map('control').definition.maxEntries)
    this.#merger = new EventMerger(
      Array.from({ length: rings }, (_, cpu) => {
        const bytes = mapSharedMemory(map('rings').fd, cpu * ringStride, ringStride, 'write')
        return { cpu, ring: new EventRing({ bytes, records: ringRecords }) }
      }),
      baseNs,
    )
  }

  /**
   * From now on calls are summed up in the kernel, instead of being reported.
   * @param functions ids below this have room
   * @param alsoTrace they are reported as well, with the same times: for tests
   */
  sumUp(functions: number, alsoTrace = false): { statistics: KernelStatistics; links: BpfLink[] } {
    const statistics = this.#makeStatistics(functions, alsoTrace)
    this.#programKind = 'stat'
    const program = this.#program('stat_thread_ends')
    const ends = ['sched_process_exit', 'sched_process_exec']
    return { statistics, links: ends.map((tracepoint) => attachRawTracepoint(program, tracepoint)) }
  }

  /** What the kernel must know of a function to end its calls as the reconstruction does. */
  describeFunction(functionId: number, traits: readonly (keyof typeof functionFlag)[]): void {
    for (const trait of traits) this.#functionFlags[functionId]! |= functionFlag[trait]
  }

  /** From now on this process's next child is stopped before the first instruction of its `images`th image. */
  armStart(images: number): void {
    this.#start.update(0, u32Bytes(images))
  }

  /** Reports what becomes of commands that are started and of traced processes. */
  attachTracepoints(): BpfLink[] {
    const links = [
      attachRawTracepoint(this.#program('process_exec'), 'sched_process_exec'),
      attachRawTracepoint(this.#program('thread_exit'), 'sched_process_exit'),
      attachRawTracepoint(this.#program('signal_deliver'), 'signal_deliver'),
    ]
    if (this.#lossless) links.push(attachRawTracepoint(this.#program('task_switch'), 'sched_switch'))
    try {
      links.push(attachRawTracepoint(this.#program('task_fork')))
    } catch (error) {
      if (isPermissionProblem(error)) throw error
      this.followsForks = false
    }
    return links
  }

  /**
   * Reports when traced threads leave a CPU and when they come back, and their page faults. Every switch and every page
   * fault of the machine costs a look-up.
   */
  attachSwitches(): BpfLink[] {
    return [
      attachRawTracepoint(this.#program('thread_switched'), 'sched_switch'),
      attachRawTracepoint(this.#program('page_faulted'), 'page_fault_user'),
    ]
  }

  /** From now on the process's threads and images are reported, and its children followed if asked for. */
  addProcess(
    pid: Pid,
    {
      caller,
      followForks,
      cleansChildren,
      neverStops = false,
    }: {
      /** Where the code lies whose calls into libraries count. */
      readonly caller: { readonly start: RuntimeAddress; readonly end: RuntimeAddress }
      readonly followForks: boolean
      /** Its children that are not followed are stopped and reported too. */
      readonly cleansChildren: boolean
      /** Somebody would see it stopped, who must not. */
      readonly neverStops?: boolean
    },
  ): void {
    const value = Buffer.alloc(processValueBytes)
    value.writeBigUInt64LE(BigInt(caller.start), 0)
    value.writeBigUInt64LE(BigInt(caller.end), 8)
    const flags =
      (followForks ? processFlag.followForks : 0) |
      (cleansChildren ? processFlag.cleansChildren : 0) |
      (neverStops ? processFlag.neverStops : 0)
    value.writeBigUInt64LE(BigInt(flags), 16)
    this.#processes.update(pid, value)
  }

  /** The process is none of ours any more. */
  removeProcess(pid: Pid): void {
    try {
      this.#processes.delete(pid)
    } catch {
      // It has ended and took its entry with it.
    }
  }

  /** From now on the returns of this function are not hooked, in any process. */
  leaveReturnAlone(functionId: number): void {
    this.#functionFlags[functionId]! |= functionFlag.leavesReturnAlone
  }

  /** From now on tracing begins, or ends, where a call of this function does, in any process. */
  switchTracingAt(functionId: number, what: 'starts' | 'stops'): void {
    this.#functionFlags[functionId]! |= functionFlag[what]
  }

  /** From now on only a sample of the calls is reported, where one is asked for. */
  beginSampling(): void {
    beginSampling(this.#functionFlags)
  }

  /** From now on deep and short calls are not reported, where limits are given. Events say what their probes cost. */
  limitCalls(costs: HitCosts): void {
    this.#setHitCosts(costs)
    limitCalls(this.#functionFlags, true)
  }

  /** From now on deep and short calls are reported as well. */
  liftLimits(): void {
    limitCalls(this.#functionFlags, false)
  }

  /** The open calls of a process that are too short yet to be reported, where there is a limit. */
  listHeldCalls(pid: Pid): HeldThread[] {
    return listHeld(this.#program('list_held'), pid, this.#baseNs)
  }

  /** How many calls were too short to be reported. */
  get leftOutCalls(): number {
    let count = 0
    for (let at: number = cpuWord.leftOut; at < this.#cpuStates.length; at += cpuWords) {
      count += this.#cpuStates[at]! + this.#cpuStates[at + 1]! * 2 ** 32
    }
    return count
  }

  /** From now on no call is seen until one of a function that starts tracing. */
  pause(): void {
    pauseTracing(this.#functionFlags)
  }

  /**
   * Attaches a set of probes: all of it or nothing. What is not to be hooked gets a link that cannot hook: the kernel asks
   * the links of all processes at a probe, and takes a session that is none of this process's for one that wants the return
   * (uprobe_prog_run in kernel/trace/bpf_trace.c gives 0 to those that the pid filter keeps out).
   * @throws SystemCallError
   */
  attach(set: ProbeSet): BpfLink[] {
    const links: BpfLink[] = []
    try {
      for (const [program, probes] of this.#uprobeSets(set)) links.push(attachUprobes(program, probes))
      return links
    } catch (error) {
      for (const attached of links) void attached.detach()
      throw error
    }
  }

  /** As `attach`, on other threads, in no order: for a process that waits meanwhile. */
  async attachAsync(set: ProbeSet): Promise<BpfLink[]> {
    const results = await Promise.allSettled(
      this.#uprobeSets(set).map(([program, probes]) => attachUprobesAsync(program, probes)),
    )
    const links = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const failure = results.find((result) => result.status === 'rejected')
    if (failure === undefined) return links
    await detachAll(links)
    throw failure.reason
  }

  /** What links a set of probes takes: exits first. */
  #uprobeSets({ path, pid, sites }: ProbeSet): (readonly [program: number, UprobeSet])[] {
    const programs = this.#programKind
    const hooked = sites.filter(({ role }) => role === 'call')
    const others = sites.filter(({ role }) => role !== 'call')
    const kinds = this.#sessions()
      ? ([
          [`${programs}_entry`, 'entry', others],
          [`${programs}_session`, 'session', hooked],
        ] as const)
      : ([
          [`${programs}_return`, 'return', hooked],
          [`${programs}_entry`, 'entry', sites],
        ] as const)
    return kinds
      .filter(([, , chosen]) => chosen.length > 0)
      .map(([program, kind, chosen]) => {
        const offsets = chosen.map(({ offset }) => offset)
        return [this.#program(program), { path, pid, offsets, cookies: chosen.map(cookieOf), kind }]
      })
  }

  /**
   * What another process needs to put the traced ones right after this one has died: see `closeTracing`,
   * `tracedProcesses` and `listReturns`.
   */
  get rescueFds(): {
    readonly functionsMap: number
    readonly processesMap: number
    readonly listReturnsProgram: number | undefined
  } {
    const listReturnsProgram = this.seesHookedReturns ? this.#program('list_returns') : undefined
    return { functionsMap: this.#functionsFd, processesMap: this.#processes.fd, listReturnsProgram }
  }

  /** From now on calls may end, but none begins: probes can be detached in any order. Nobody waits for reports any more. */
  close(): void {
    closeTracing(this.#functionFlags)
    // Node would not end before the thread that waits: half a second.
    this.#closed.wake()
  }

  /** Stops the process whenever its dynamic linker has loaded or unloaded something. */
  attachLoader(path: string, offset: FileOffset, pid: Pid): BpfLink {
    const program = this.#program('modules_changed')
    return attachUprobes(program, { path, offsets: [offset], cookies: [0], pid, kind: 'entry' })
  }

  /**
   * Reports when an unwinder starts while returns are hooked on the thread's stack; the thread waits.
   * @param entries `throws`: its argument is an exception, and if that is C++'s it will be seen where it is caught
   */
  attachUnwinders(
    path: string,
    entries: readonly { readonly offset: FileOffset; readonly throws: boolean }[],
    pid: Pid,
  ): BpfLink {
    const program = this.#program(this.#programKind === 'stat' ? 'stat_unwinder_called' : 'unwinder_called')
    const offsets = entries.map(({ offset }) => offset)
    const cookies = entries.map(({ throws }) => (throws ? unwinderThrows : 0))
    return attachUprobes(program, { path, offsets, cookies, pid, kind: 'entry' })
  }

  /** Reports where exception handlers begin. @param functionId that of the probed function itself, if it is traced */
  attachCatch(path: string, offset: FileOffset, functionId: number, pid: Pid): BpfLink {
    const program = this.#program(this.#programKind === 'stat' ? 'stat_caught' : 'exception_caught')
    return attachUprobes(program, { path, offsets: [offset], cookies: [functionId], pid, kind: 'entry' })
  }

  /** Done when there is a report, or after `close`, or as `wakeOnEvent` says. */
  async reportReady(): Promise<void> {
    await waitReadable([this.#controlFd, this.#closed.fd])
  }

  /** A thread that was stopped for a report is about to go on: where calls are summed up that time does not count. */
  continued(tid: Tid, atNs: TraceNs): void {
    if (this.#programKind !== 'stat') return
    const value = Buffer.alloc(8)
    value.writeBigUInt64LE(this.#baseNs + BigInt(atNs))
    this.#continued.update(tid, value)
  }

  /** Waits for a report, and does nothing else meanwhile. */
  blockUntilReport(longestMs: number): void {
    blockUntilReadable(this.#controlFd, longestMs)
  }

  /** Whether `nextReport` has something to tell. */
  hasReport(): boolean {
    this.#control.snapshot()
    return this.#control.pending
  }

  /** What next became of a process, if anything. */
  nextReport(): ProcessReport | undefined {
    for (;;) {
      this.#control.snapshot()
      const at = this.#control.next()
      if (at === -1) return undefined
      // All that it has to say is that somebody should look at the rings.
      const isReport = this.#control.words[at] !== controlKind.events
      const report = isReport ? readReport(this.#control.words, at, this.#baseNs) : undefined
      this.#control.release()
      if (report !== undefined) return report
    }
  }

  /**
   * Hands on all events up to now in the order of their time.
   * @param most ends after so many: the next call goes on
   * @returns their number
   */
  drain(consumer: EventConsumer, most?: number): number {
    return this.#merger.drain(process.hrtime.bigint(), consumer, most)
  }

  /** Every event up to then has been handed on. */
  get seenUntilNs(): TraceNs {
    return this.#merger.seenUntilNs
  }

  /** Whether the next event is to end `reportReady`. What happened before does not: to be asked before looking once more. */
  wakeOnEvent(isWanted: boolean): void {
    for (let at: number = cpuWord.readerSleeps; at < this.#cpuStates.length; at += cpuWords) {
      this.#cpuStates[at] = isWanted ? 1 : 0
    }
  }

  /** Lost events that no later event of their CPU has reported: by CPU number. Exact once the probes are detached. */
  unreportedLosses(): { cpu: number; count: number }[] {
    const losses = []
    for (let cpu = 0; cpu * cpuWords < this.#cpuStates.length; cpu++) {
      const count = this.#cpuStates[cpu * cpuWords + cpuWord.lost]!
      if (count > 0) losses.push({ cpu, count })
    }
    return losses
  }

  #program(name: string): number {
    let fd = this.#programs.get(name)
    if (fd === undefined) {
      fd = this.#loadExplained(name)
      this.#programs.set(name, fd)
    }
    return fd
  }

  /** Whether one program can serve entry and return (uprobe sessions, Linux 6.13): found out by trying. */
  #sessions(): boolean {
    if (this.#hasSessions === undefined) {
      try {
        this.#program(`${this.#programKind}_session`)
        this.#hasSessions = true
      } catch (error) {
        if (error instanceof UserError && isPermissionProblem(error.cause)) throw error
        this.#hasSessions = false
      }
    }
    return this.#hasSessions
  }

  #loadExplained(name: string): number {
    try {
      return this.#load(name)
    } catch (error) {
      throw isPermissionProblem(error) ? permissionError(error) : error
    }
  }
}

/** The error that says what utrace needs to be allowed. */
export function permissionError(cause: unknown): UserError {
  return new UserError(
    'not permitted to use BPF: run with sudo, or give node the capabilities CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE',
    { cause },
  )
}

function readReport(words: Uint32Array, at: number, baseNs: bigint): ProcessReport {
  const pid = words[at + 1] as Pid
  const kind = words[at]
  if (kind === controlKind.forked || kind === controlKind.left)
    return { kind: kind === controlKind.left ? 'left' : 'forked', pid, parent: words[at + 3] as Pid }
  if (kind === controlKind.deep) return { kind: 'deep', pid, functionId: words[at + 3]! }
  if (kind === controlKind.unwinds || kind === controlKind.caught) return readStackReport(words, at, baseNs)
  const kinds = {
    [controlKind.started]: 'started',
    [controlKind.loaded]: 'loaded',
    [controlKind.exec]: 'exec',
    [controlKind.full]: 'full',
  } as const
  return { kind: kinds[kind as keyof typeof kinds] ?? 'ended', pid }
}

function readStackReport(words: Uint32Array, at: number, baseNs: bigint): StackReport {
  const word = (offset: number) => words[at + offset / 4]!
  const address = (offset: number) => (word(offset) + word(offset + 4) * 2 ** 32) as RuntimeAddress
  const returns = Array.from({ length: word(stackRecord.count) }, (_, index): HookedReturn => {
    const from = stackRecord.returns + index * hookedReturnBytes
    return { slot: address(from), returnAddress: address(from + 8), probe: address(from + 16) }
  })
  const number = word(stackRecord.waitNumber)
  return {
    kind: words[at] === controlKind.unwinds ? 'unwinds' : 'caught',
    pid: words[at + 1] as Pid,
    tid: asTid(words[at + 2]!),
    returns,
    mayHookAgain: word(stackRecord.mayHookAgain) !== 0,
    trampoline: address(stackRecord.trampoline),
    wait: number === 0 ? undefined : { cpu: word(stackRecord.waitCpu), number },
    atNs: asTraceNs(address(stackRecord.timeNs) - Number(baseNs)),
  }
}

/** What a probe's program is told of its instruction: see COOKIE_ in bpf/utrace.bpf.c. Below 2^53, so that it is exact. */
function cookieOf({
  functionId,
  role,
  isLibraryCall,
  condition,
  isJump,
  entryProbe = 'emulated',
  stackDisplacement = 0,
}: ProbedInstruction): number {
  return (
    functionId +
    (role === 'exit' ? 0 : entryProbes.indexOf(entryProbe) * cookie.entryProbe) +
    (condition === undefined ? 0 : (condition + 1) * cookie.condition) +
    (role === 'exit' ? cookie.exit : 0) +
    (isLibraryCall ? cookie.libraryCall : 0) +
    (role === 'entry' ? cookie.noHook : 0) +
    (isJump ? cookie.jump : 0) +
    Math.min(stackDisplacement >> 3, displacementWordsMax) * cookie.displacement
  )
}

/** The value of the `hit_costs` map: u32 ns for each of `entryProbes`, padded to four; library call, `ret`, jump, hooked return. */
function hitCostsValue({ entryNs, libraryCallNs, retNs, jumpNs, hookedReturnNs }: HitCosts): Uint8Array {
  const entries = entryProbes.map((probe) => entryNs[probe])
  return new Uint8Array(
    Uint32Array.from([...entries, 0, libraryCallNs, retNs, jumpNs, hookedReturnNs]).buffer,
  )
}

function constantsMap(words: readonly number[]): BpfMap {
  const values = Buffer.from(Uint32Array.from(words).buffer)
  const map = new BpfMap('constants', {
    type: mapType.array,
    keySize: 4,
    valueSize: values.length,
    maxEntries: 1,
    flags: readOnlyForPrograms,
  })
  map.update(0, values)
  map.freeze()
  return map
}

function controlRing(fd: number, size: number): ControlRing {
  return new ControlRing({
    consumer: mapSharedMemory(fd, 0, pageBytes, 'write'),
    producer: mapSharedMemory(fd, pageBytes, pageBytes + 2 * size, 'read'),
    size,
  })
}
