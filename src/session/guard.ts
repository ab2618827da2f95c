import { type ChildProcess, spawn } from 'node:child_process'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Pid } from '../base/units.ts'
import type { Kernel } from '../bpf/kernel.ts'
import { type BpfLink, detachAll } from '../bpf/link.ts'
import { answers, formatGuardMessage, type GuardMessage } from '../guard/protocol.ts'
import { processStartTicks } from '../target/process.ts'

/** Source files end in `.ts`, built ones in `.cjs`. */
const guardProgram = fileURLToPath(new URL(`../guard/main${extname(import.meta.url)}`, import.meta.url))

/**
 * The process that sees to the traced ones if utrace is killed: see `src/guard/main.ts`. It is in a session of its own,
 * so that nothing from the terminal ends it.
 */
export class Guard {
  /** It has what it needs: from now on targets may run. */
  readonly ready: Promise<unknown>
  readonly #child: ChildProcess
  /** Who waits for the next answer, and for those after it. */
  readonly #asked: ((answer: string | undefined) => void)[] = []
  #isGone = false

  constructor(kernel: Kernel) {
    const { functionsMap, processesMap, listReturnsProgram } = kernel.rescueFds
    this.#child = spawn(process.execPath, [guardProgram, String(process.pid)], {
      stdio: ['pipe', 'pipe', 'ignore', functionsMap, processesMap, listReturnsProgram ?? 'ignore'],
      detached: true,
    })
    this.ready = this.#answer()
    this.#child.stdout!.setEncoding('latin1').on('data', (bytes: string) => {
      for (const answer of bytes) this.#asked.shift()?.(answer)
    })
    // Should it be gone, tracing goes on without a guard.
    const gone = () => {
      this.#isGone = true
      for (const unanswered of this.#asked.splice(0)) unanswered(undefined)
    }
    this.#child.stdin!.on('error', () => {})
    this.#child.on('error', gone).on('exit', gone)
    this.#child.unref()
  }

  add(pid: Pid): void {
    const startTicks = processStartTicks(pid)
    if (startTicks !== undefined) this.#tell({ kind: 'traced', pid, startTicks })
  }

  remove(pid: Pid): void {
    this.#tell({ kind: 'forgotten', pid })
  }

  /**
   * Removes probes that nobody runs into any more, and leaves the waiting for it to the guard: the kernel takes tens of
   * milliseconds to be sure that no CPU uses them.
   */
  async detach(links: readonly BpfLink[]): Promise<void> {
    if (links.length === 0) return
    const descriptors = links.map(({ fd }) => fd)
    this.#tell({ kind: 'hold', descriptors })
    const isHeld = (await this.#answer()) === answers.held
    await detachAll(links)
    if (isHeld) this.#tell({ kind: 'release', descriptors })
  }

  /** Nothing is traced any more. */
  dismiss(): void {
    this.#tell({ kind: 'done' })
    this.#child.stdin!.end()
  }

  #answer(): Promise<string | undefined> {
    return new Promise((resolve) => {
      if (this.#isGone) resolve(undefined)
      else this.#asked.push(resolve)
    })
  }

  #tell(message: GuardMessage): void {
    this.#child.stdin!.write(formatGuardMessage(message))
  }
}
