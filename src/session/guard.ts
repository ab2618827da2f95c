import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Pid } from '../base/units.ts'
import type { Kernel } from '../bpf/kernel.ts'
import { formatGuardMessage, type GuardMessage } from '../guard/protocol.ts'
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

  constructor(kernel: Kernel) {
    const { functionsMap, processesMap, listReturnsProgram } = kernel.rescueFds
    this.#child = spawn(process.execPath, [guardProgram, String(process.pid)], {
      stdio: ['pipe', 'pipe', 'ignore', functionsMap, processesMap, listReturnsProgram ?? 'ignore'],
      detached: true,
    })
    this.ready = Promise.race([once(this.#child.stdout!, 'data'), once(this.#child, 'exit')])
    // Should it be gone, tracing goes on without a guard.
    this.#child.stdin!.on('error', () => {})
    this.#child.on('error', () => {})
    this.#child.unref()
  }

  add(pid: Pid): void {
    const startTicks = processStartTicks(pid)
    if (startTicks !== undefined) this.#tell({ kind: 'traced', pid, startTicks })
  }

  remove(pid: Pid): void {
    this.#tell({ kind: 'forgotten', pid })
  }

  /** Nothing is traced any more. */
  dismiss(): void {
    this.#tell({ kind: 'done' })
    this.#child.stdin!.end()
  }

  #tell(message: GuardMessage): void {
    this.#child.stdin!.write(formatGuardMessage(message))
  }
}
