import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs'
import { asPid, asRuntimeAddress, type Pid, type RuntimeAddress } from '../base/units.ts'

/** A contiguous piece of a file in a process's memory: one line of /proc/PID/maps (proc(5)). */
export interface Mapping {
  readonly start: RuntimeAddress
  readonly end: RuntimeAddress
  readonly executable: boolean
  /** Offset in the file, in bytes. */
  readonly offset: number
  /** `DEVICE:INODE`: one file, whatever it is called. */
  readonly file: string
  /** As the kernel prints it, ` (deleted)` included. */
  readonly path: string
  /** A path that leads to this very file, also when it was deleted, replaced, or lives in another mount namespace. */
  readonly filePath: string
}

const mapsLine = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) ([0-9a-f]+) (\S+) (\d+)\s+(\/.*)$/

/** The file mappings of a process, in the order of their addresses. @throws NodeJS.ErrnoException if it is gone. */
export function readMappings(pid: Pid): Mapping[] {
  const mappings: Mapping[] = []
  for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
    const match = mapsLine.exec(line)
    if (match === null) continue
    const [, start, end, rights, offset, device, inode, path] = match as unknown as string[]
    mappings.push({
      start: asRuntimeAddress(Number.parseInt(start!, 16)),
      end: asRuntimeAddress(Number.parseInt(end!, 16)),
      executable: rights![2] === 'x',
      offset: Number.parseInt(offset!, 16),
      file: `${device}:${inode}`,
      path: path!,
      filePath: `/proc/${pid}/map_files/${start!.replace(/^0+(?=.)/, '')}-${end!.replace(/^0+(?=.)/, '')}`,
    })
  }
  return mappings
}

/**
 * Where the kernel lets hooked returns of a process return to: the beginning of its `[uprobes]` mapping
 * (uprobe_get_trampoline_vaddr in kernel/events/uprobes.c). Undefined as long as it has none.
 */
export function trampolineOf(pid: Pid): RuntimeAddress | undefined {
  const match = /^([0-9a-f]+)-\S+ .*\[uprobes\]$/m.exec(readFileSync(`/proc/${pid}/maps`, 'utf8'))
  return match === null ? undefined : asRuntimeAddress(Number.parseInt(match[1]!, 16))
}

/** The state letter of proc(5) (`R`, `S`, `T`, `Z` …), or undefined if there is no such process. */
export function processState(pid: Pid): string | undefined {
  return statFields(pid)?.[0]
}

/** A process may end while it is looked at: what fails then is of no interest. One that is ending has no memory any more. */
export function unlessGone<Result>(pid: Pid, act: () => Result): Result | undefined {
  try {
    return act()
  } catch (error) {
    if (hasMemory(pid)) throw error
    return undefined
  }
}

/** Whether a process has not begun to end: one that has is without memory before it is a zombie. */
export function hasMemory(pid: Pid): boolean {
  try {
    readlinkSync(`/proc/${pid}/exe`)
    return true
  } catch {
    return false
  }
}

/** A stopped process's threads come to rest within microseconds, unless the machine is very busy. */
const restWaitMs = 200

/**
 * Waits until no thread of a process runs, if only for a while. Whoever is to be continued must have been stopped before:
 * the kernel may send the signal after the report of it (bpf_send_signal goes through irq_work where it cannot be
 * preempted), and a SIGCONT that comes first is lost.
 */
export function waitUntilAtRest(pid: Pid): void {
  const giveUpAt = performance.now() + restWaitMs
  while (hasThread(pid, running) && performance.now() < giveUpAt);
}

/**
 * Stops a process, and waits until all its threads have stopped. Of a process that is stopped because one of its threads has
 * reported something, others may still run, and be about to report as well: a signal that continues it takes their stop away, and
 * they would go on unheard. It must be one that is continued afterwards.
 */
export function stopAllThreads(pid: Pid): void {
  unlessGone(pid, () => process.kill(pid, 'SIGSTOP'))
  const giveUpAt = performance.now() + restWaitMs
  // Whoever has just been born may be missing in the first list.
  let looks = 0
  while (looks < 2 && performance.now() < giveUpAt) looks = hasThread(pid, notStopped) ? 0 : looks + 1
}

/** States of threads (proc_pid_stat(5)): on a CPU, or waiting for one; neither stopped nor ended. */
const running = /R/
const notStopped = /[^TtZX]/

/** Whether some thread of a process is in such a state. */
function hasThread(pid: Pid, state: RegExp): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).some((tid) =>
      state.test(statFields(`${pid}/task/${tid}`)?.[0] ?? ''),
    )
  } catch {
    return false
  }
}

/** The children of a process that are stopped and have used no processor time: they were stopped at their birth. */
export function stoppedNewborns(pid: Pid): Pid[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .flatMap((tid) =>
        readFileSync(`/proc/${pid}/task/${tid}/children`, 'latin1').split(' ').filter(Boolean),
      )
      .map((child) => asPid(Number(child)))
      .filter((child) => {
        const fields = statFields(child)
        return fields?.[0] === 'T' && fields[11] === '0' && fields[12] === '0'
      })
  } catch {
    return []
  }
}

/** What tells a process from a later one of the same pid: its start time, in clock ticks since boot. */
export function processStartTicks(pid: Pid): string | undefined {
  return statFields(pid)?.[19]
}

/** The fields of /proc/PID/stat from the third on: the second, the name, may hold anything. */
function statFields(task: Pid | string): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${task}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(') ') + 2).split(' ')
  } catch {
    return undefined
  }
}

/** The process that a thread belongs to, or undefined if the thread is gone. */
export function processOfThread(tid: number): Pid | undefined {
  try {
    const match = /^Tgid:\s*(\d+)$/m.exec(readFileSync(`/proc/${tid}/status`, 'latin1'))
    return match === null ? undefined : asPid(Number(match[1]))
  } catch {
    return undefined
  }
}

/** Reads a process's memory while `use` runs. */
export function withMemory<Result>(pid: Pid, use: (memory: ProcessMemory) => Result): Result {
  const fd = openSync(`/proc/${pid}/mem`, 'r')
  try {
    return use(new ProcessMemory(fd))
  } finally {
    closeSync(fd)
  }
}

export class ProcessMemory {
  readonly #fd: number

  constructor(fd: number) {
    this.#fd = fd
  }

  /** @returns the bytes, or undefined where they are not all mapped. */
  read(address: number, length: number): Buffer | undefined {
    const bytes = Buffer.alloc(length)
    try {
      return readSync(this.#fd, bytes, 0, length, address) === length ? bytes : undefined
    } catch {
      return undefined
    }
  }

  /** A 64-bit number that fits a double, or undefined. */
  readPointer(address: number): number | undefined {
    const bytes = this.read(address, 8)
    if (bytes === undefined) return undefined
    const value = Number(bytes.readBigUInt64LE())
    return Number.isSafeInteger(value) ? value : undefined
  }

  /** A string of at most 4096 bytes that ends with a zero. */
  readString(address: number): string | undefined {
    const chunks: Buffer[] = []
    for (let length = 0; length < 4096; ) {
      // Never across a page: the next one may not be mapped.
      const step = Math.min(4096 - (address % 4096), 256)
      const bytes = this.read(address, step)
      if (bytes === undefined) return undefined
      const end = bytes.indexOf(0)
      chunks.push(end === -1 ? bytes : bytes.subarray(0, end))
      if (end !== -1) return Buffer.concat(chunks).toString('utf8')
      address += step
      length += step
    }
    return undefined
  }
}
