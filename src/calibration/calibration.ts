import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { type EventConsumer, isCallEvent } from '../base/event.ts'
import { asPid, asRuntimeAddress } from '../base/units.ts'
import type { Kernel, ProbedInstruction } from '../bpf/kernel.ts'
import { type BpfLink, detachAll } from '../bpf/link.ts'
import { memoryFile } from '../sys/memory-file.ts'
import type { ProbeCosts } from '../trace/probe-costs.ts'
import { ProbeTimings } from './probe-timings.ts'
import { type CalibrationProgram, calibrationProgram, loadAddress, type ShapeName } from './program.ts'

/** So many calls of each function that their median stands, and so few that all of it takes some 30 ms. */
const rounds = 60
const batch = 6
/** A machine that is busy beyond that tells nothing. */
const longestMs = 1_000
const longestDrainMs = 50

const hookedShapes: readonly ShapeName[] = ['hooked', 'libraryCall']

/**
 * Measures what probes cost on this machine now: a small program of utrace's own runs through probes of every kind, and
 * their events tell the time. It runs beside whatever else there is to do before tracing begins.
 */
export class Calibration {
  readonly #kernel: Kernel
  readonly #child: ChildProcess
  readonly #ended: Promise<void>
  #attached: Promise<BpfLink[]>
  /** The program runs, as far as it can. */
  readonly begun: Promise<void>
  #expectedEvents = 0

  /** Starts the program. Its events go to the kernel's rings: `finish` takes them out. */
  constructor(kernel: Kernel) {
    this.#kernel = kernel
    const program = calibrationProgram(rounds, batch)
    const file = memoryFile('utrace-calibration', program.bytes)
    try {
      this.#child = spawn('/proc/self/fd/3', [], { stdio: ['pipe', 'ignore', 'ignore', file] })
    } finally {
      closeSync(file)
    }
    this.#ended = new Promise((resolve) => {
      this.#child.once('exit', () => resolve())
      this.#child.once('error', () => resolve())
    })
    // It may be gone before it has read.
    this.#child.stdin?.on('error', () => {})
    this.#attached = this.#child.pid === undefined ? Promise.resolve([]) : this.#attach(program)
    // Without probes it runs to its end all the same, and nothing is measured.
    const begin = () => void this.#child.stdin?.end('\n')
    this.begun = this.#attached.then(begin, begin)
  }

  /**
   * Waits for the program's end and removes its probes.
   * @param others gets the events of others that have come meanwhile
   * @returns undefined where nothing could be measured
   */
  async finish(others: EventConsumer): Promise<ProbeCosts | undefined> {
    const timings = new ProbeTimings()
    const { pid } = this.#child
    let missing = this.#expectedEvents
    const consumer: EventConsumer = {
      event: (time, stack, tid, kind, functionId, cpu) => {
        if (tid !== pid) others.event(time, stack, tid, kind, functionId, cpu)
        else if (isCallEvent(kind)) {
          missing--
          timings.event(time, stack, tid, kind, functionId)
        }
      },
    }
    await Promise.race([this.#ended, pause(longestMs, undefined, { ref: false })])
    this.#child.kill('SIGKILL')
    // Some may have been lost; another CPU's may keep them waiting for a moment.
    const giveUpAt = performance.now() + longestDrainMs
    while (missing > 0 && performance.now() < giveUpAt) {
      if (this.#kernel.drain(consumer) === 0) await pause(1)
    }
    return timings.costs()
  }

  /** Removes the probes, once. @param remove closes links: that takes tens of milliseconds */
  async detach(remove: (links: readonly BpfLink[]) => Promise<void> = detachAll): Promise<void> {
    const links = this.#attached
    this.#attached = Promise.resolve([])
    await remove(await links.catch(() => []))
  }

  #attach({ functions }: CalibrationProgram): Promise<BpfLink[]> {
    const pid = asPid(this.#child.pid!)
    const caller = { start: asRuntimeAddress(loadAddress), end: asRuntimeAddress(loadAddress + 0x1000) }
    this.#kernel.addProcess(pid, { caller, followForks: false, cleansChildren: false })
    const sites = functions.flatMap(({ name, entry, exit }, functionId): ProbedInstruction[] => {
      const role = hookedShapes.includes(name) ? 'call' : 'entry'
      const site = { offset: entry, functionId, role, isLibraryCall: name === 'libraryCall' } as const
      if (exit === undefined) return [site]
      return [{ offset: exit, functionId, role: 'exit', isJump: name === 'jump' }, site]
    })
    this.#expectedEvents =
      rounds *
      batch *
      functions.reduce((sum, { name, exit }) => {
        return sum + (exit === undefined && !hookedShapes.includes(name) ? 1 : 2)
      }, 0)
    return this.#kernel.attachAsync({ path: `/proc/${pid}/exe`, pid, sites })
  }
}
