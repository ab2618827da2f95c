import { UserError } from '../base/errors.ts'
import type { Pid } from '../base/units.ts'
import { hasMemory, processStartTicks, processState } from '../target/process.ts'
import { ProcessTracer, type TracerContext } from './process-tracer.ts'
import type { TracedProcesses } from './traced-processes.ts'

/** Its end is reported, unless that report found no room: this is for that, and costs little. */
const livenessIntervalMs = 500

/**
 * Plans a process that runs, and goes on running.
 * @param lossless whether it is to wait when a ring is full
 * @throws UserError if it can't
 */
export function joinProcess(
  pid: Pid,
  lossless: boolean,
  context: TracerContext,
  processes: TracedProcesses,
): ProcessTracer {
  try {
    const tracer = new ProcessTracer(pid, context)
    if (lossless && tracer.isShellJob) {
      throw new UserError(
        `--lossless does not go with process ${pid}: its shell would take it for stopped whenever it waits; try a larger --buffer`,
      )
    }
    processes.add(tracer)
    tracer.join()
    return tracer
  } catch (error) {
    if (hasMemory(pid)) throw error
    throw new UserError(`process ${pid} has ended: there is nothing left to trace`, { cause: error })
  }
}

/**
 * A process that is not our child, and that may have been left alone: its end is noticed by looking.
 * @returns looks now and then, if it is called more often than that
 */
export function watchForEnd(pid: Pid, ended: () => void): () => void {
  const startTicks = processStartTicks(pid)
  let nextLook = 0
  return () => {
    const now = performance.now()
    if (now < nextLook) return
    nextLook = now + livenessIntervalMs
    if (processStartTicks(pid) === startTicks && processState(pid) !== 'Z') return
    ended()
    nextLook = Number.POSITIVE_INFINITY
  }
}
