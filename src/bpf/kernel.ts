import { readFileSync } from 'node:fs'
import { UserError } from '../base/errors.ts'
import type { EventConsumer } from '../base/event.ts'
import type { FileOffset, Pid, RuntimeAddress } from '../base/units.ts'
import { isPermissionProblem } from '../sys/libc.ts'
import { mapSharedMemory } from '../sys/memory.ts'
import { readKernelTypes } from './btf.ts'
import { onlineCpus, possibleCpuCount } from './cpus.ts'
import { controlKind, processValueBytes } from './layout.ts'
import { attachRawTracepoint, attachUprobes, type BpfLink } from './link.ts'
import { BpfMap, mapType, readOnlyForPrograms, u32Bytes } from './map.ts'
import { EventMerger } from './merge.ts'
import { readBpfObject } from './object.ts'
import { loadProgram } from './program.ts'
import { pageBytes, RingReader } from './ring.ts'

/** A process that the kernel has stopped for us. */
export interface Stop {
  readonly reason: 'started' | 'modules changed'
  readonly pid: Pid
}

/** Instructions of one file that get the same kind of probe. */
export interface ProbeGroup {
  readonly kind: 'call' | 'library call'
  /** `session`: entry and hooked return; `entry`: entry only; `ret`: an instruction by which a function leaves. */
  readonly part: 'session' | 'entry' | 'ret'
  readonly path: string
  readonly sites: readonly ProbeGroupSite[]
  readonly pid: Pid
}

export interface ProbeGroupSite {
  readonly offset: FileOffset
  readonly functionId: number
  /** For a conditional jump by which a function leaves: the condition code on which it is taken. */
  readonly condition?: number | undefined
}

/** Links that were attached together. */
export interface AttachedGroup {
  /** Those that see entries, and those that see exits only. */
  readonly entryLinks: readonly BpfLink[]
  readonly exitLinks: readonly BpfLink[]
}

const objectPath = new URL('../../bpf/utrace.bpf.o', import.meta.url)

const ringBytesTotal = 64 << 20
const ringBytesMin = 1 << 20
const ringBytesMax = 16 << 20

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
  readonly #control: RingReader
  readonly #merger: EventMerger
  readonly #lost: Uint32Array
  readonly #processes: BpfMap
  readonly #start: BpfMap
  #hasSessions: boolean | undefined
  readonly ringBytes: number
  /** The rings are in place: nothing may be attached before. */
  readonly ready: Promise<void>

  /**
   * @param baseNs CLOCK_MONOTONIC time that becomes trace time 0
   * @param ringBytes size of each CPU's ring: a power of two
   * @param options `sessions: false` does without uprobe sessions where the kernel has them, for tests
   * @throws UserError where the kernel refuses or lacks something, with the reason and the fix
   */
  constructor(baseNs: bigint, ringBytes?: number, options: { readonly sessions?: boolean } = {}) {
    if (options.sessions === false) this.#hasSessions = false
    const object = readBpfObject(readFileSync(objectPath))
    const types = readKernelTypes()
    const cpus = onlineCpus()
    const possibleCpus = possibleCpuCount()
    this.ringBytes = ringBytes ?? defaultRingBytes(cpus.length)

    const rings = cpus.map((cpu) => ({ cpu, map: new BpfMap('ring', ringDefinition(this.ringBytes)) }))
    const maps = new Map<string, BpfMap>()
    for (const [name, definition] of object.maps) {
      const sized = definition.maxEntries === 0 ? { ...definition, maxEntries: possibleCpus } : definition
      maps.set(name, new BpfMap(name, sized, definition.type === mapType.arrayOfMaps ? rings[0]!.map.fd : 0))
    }
    const map = (name: string) => maps.get(name)!
    this.ready = map('rings').updateAll(rings.map(({ cpu, map: ring }) => ({ key: cpu, value: u32Bytes(ring.fd) })))
    // Reported where it is waited for.
    this.ready.catch(() => {})

    const constants = constantsMap([
      process.pid,
      types.memberOffset('task_struct', 'pid'),
      types.memberOffset('task_struct', 'tgid'),
      types.memberOffset('task_struct', 'real_parent'),
    ])
    const bindings = {
      mapFd: (name: string) => map(name).fd,
      constantsFd: constants.fd,
      kernelFunctionId: types.functionId,
    }
    this.#load = (name) => loadProgram(object, name, bindings)
    this.#processes = map('processes')
    this.#start = map('start')
    this.#lost = new Uint32Array(mapSharedMemory(map('lost').fd, 0, roundToPage(possibleCpus * 8), 'write'))
    this.#control = ringReader(map('control').fd, map('control').definition.maxEntries)
    this.#merger = new EventMerger(
      rings.map(({ cpu, map: ring }) => ({
        cpu,
        reader: ringReader(ring.fd, this.ringBytes),
        size: this.ringBytes,
      })),
      baseNs,
    )
  }

  /** From now on this process's next child is stopped before the first instruction of its `images`th image. */
  armStart(images: number): void {
    this.#start.update(0, u32Bytes(images))
  }

  /** Reports what becomes of commands that are started and of traced processes' threads. */
  attachTracepoints(): BpfLink[] {
    return [
      attachRawTracepoint(this.#program('process_exec'), 'sched_process_exec'),
      attachRawTracepoint(this.#program('thread_exit'), 'sched_process_exit'),
    ]
  }

  /** @param caller where the code lies whose calls into libraries count */
  addProcess(pid: Pid, caller: { readonly start: RuntimeAddress; readonly end: RuntimeAddress }): void {
    const value = Buffer.alloc(processValueBytes)
    value.writeBigUInt64LE(BigInt(caller.start), 0)
    value.writeBigUInt64LE(BigInt(caller.end), 8)
    this.#processes.update(pid, value)
  }

  /** Attaches one group of probes: all of it or nothing. @throws SystemCallError */
  attach(group: ProbeGroup): AttachedGroup {
    const { path, pid, sites } = group
    const offsets = sites.map(({ offset }) => offset)
    const cookies = sites.map(cookieOf)
    const link = (program: string, kind: 'entry' | 'return' | 'session') =>
      attachUprobes(this.#program(program), { path, offsets, cookies, pid, kind })
    const prefix = group.kind === 'call' ? 'call' : 'library_call'
    if (group.part === 'ret') return { entryLinks: [], exitLinks: [link('call_ret', 'entry')] }
    if (group.part === 'entry') return { entryLinks: [link(`${prefix}_entry`, 'entry')], exitLinks: [] }
    if (this.#sessions()) return { entryLinks: [link(`${prefix}_session`, 'session')], exitLinks: [] }
    const returns = link('call_return', 'return')
    try {
      return { entryLinks: [link(`${prefix}_entry`, 'entry')], exitLinks: [returns] }
    } catch (error) {
      void returns.detach()
      throw error
    }
  }

  /** Stops the process whenever its dynamic linker has loaded or unloaded something. */
  attachLoader(path: string, offset: FileOffset, pid: Pid): BpfLink {
    const program = this.#program('modules_changed')
    return attachUprobes(program, { path, offsets: [offset], cookies: [0], pid, kind: 'entry' })
  }

  /** The next process that was stopped, if any. */
  nextStop(): Stop | undefined {
    this.#control.snapshot()
    const at = this.#control.next()
    if (at === -1) return undefined
    const [kind, pid] = this.#control.words.subarray(at, at + 2)
    this.#control.release()
    return { reason: kind === controlKind.started ? 'started' : 'modules changed', pid: pid as Pid }
  }

  /** Hands on all events up to now in the order of their time. @returns their number */
  drain(consumer: EventConsumer): number {
    return this.#merger.drain(process.hrtime.bigint(), consumer)
  }

  /** Lost events that no later event of their CPU has reported: by CPU number. Exact once the probes are detached. */
  unreportedLosses(): { cpu: number; count: number }[] {
    const losses = []
    for (let cpu = 0; cpu * 2 < this.#lost.length; cpu++) {
      const count = this.#lost[cpu * 2]!
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
        this.#program('call_session')
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

/** A function id, and in the upper half one more than the condition on which the instruction counts. */
function cookieOf({ functionId, condition }: ProbeGroupSite): number {
  return functionId + (condition === undefined ? 0 : condition + 1) * 2 ** 32
}

function ringDefinition(bytes: number) {
  return { type: mapType.ringBuffer, keySize: 0, valueSize: 0, maxEntries: bytes, flags: 0 }
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

function ringReader(fd: number, size: number): RingReader {
  return new RingReader({
    consumer: mapSharedMemory(fd, 0, pageBytes, 'write'),
    producer: mapSharedMemory(fd, pageBytes, pageBytes + 2 * size, 'read'),
    size,
  })
}

function roundToPage(bytes: number): number {
  return Math.ceil(bytes / pageBytes) * pageBytes
}
