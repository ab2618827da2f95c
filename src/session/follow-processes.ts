import { UserError } from '../base/errors.ts'
import type { Pid } from '../base/units.ts'
import { readAuxiliaryVector } from '../target/auxiliary-vector.ts'
import { waitUntilAtRest } from '../target/process.ts'
import { ProcessTracer, type TracerContext } from './process-tracer.ts'
import type { TracedProcesses } from './traced-processes.ts'

/** Goes on with tracing where a process gets a new image or a child. */
export class ProcessFollower {
  readonly #context: TracerContext
  readonly #processes: TracedProcesses
  #stopsNoted = false

  constructor(context: TracerContext, processes: TracedProcesses) {
    this.#context = context
    this.#processes = processes
  }

  /** The process has a new image, and has run none of it. The caller resumes it. */
  beginImage(pid: Pid): void {
    const isFirst = this.#processes.isEmpty
    this.#processes.forgetImage(pid)
    const tracer = new ProcessTracer(pid, this.#context)
    this.#processes.add(tracer)
    const reason = isFirst ? undefined : this.#whyNotTraced(pid)
    if (reason === undefined) tracer.begin()
    else {
      this.#context.note(`process ${pid} runs a new program that is not traced: ${reason}`)
      this.#context.kernel.removeProcess(pid)
      waitUntilAtRest(pid)
      tracer.resume()
      this.#processes.letGo(pid)
    }
  }

  /** A traced process has a child, which has run nothing yet. The caller resumes it. */
  beginChild(parent: Pid, child: Pid): void {
    const tracer = this.#processes.get(parent)
    this.#processes.add(tracer?.fork(child) ?? new ProcessTracer(child, this.#context))
    if (this.#stopsNoted || !tracer?.watchesChildren) return
    this.#stopsNoted = true
    this.#context.note(
      `process ${parent} handles SIGCHLD: it may be told that a child stops and goes on, as utrace lets each do at its start, ` +
        'so that no call is missed; --no-follow-fork avoids that',
    )
  }

  /** What a followed process runs need not be something that can, or may, be traced. */
  #whyNotTraced(pid: Pid): string | undefined {
    if (readAuxiliaryVector(pid).isSecure) return 'it runs with the rights of its file (set-user-ID)'
    try {
      this.#context.reader.read(pid)
      return undefined
    } catch (error) {
      if (error instanceof UserError) return error.message
      throw error
    }
  }
}
