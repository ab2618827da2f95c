import type { TasksPart } from './json-facts.ts'

/** Asks for names while the tasks run; undefined where they have gone. */
export interface TaskNames {
  thread(pid: number, tid: number): string | undefined
  process(pid: number): string | undefined
}

/** Names of more tasks than this are not asked for again: it would take too long. */
const mostRefreshed = 256
const refreshIntervalMs = 1_000

interface Task {
  readonly pid: number
  name: string
  isNew: boolean
}

/** The threads and processes of a trace, and what they are called. Names change: programs name their threads late. */
export class TaskTable {
  readonly #pidOf: (tid: number) => number
  readonly #names: TaskNames
  /** Those that have not ended. */
  readonly #threads = new Map<number, Task>()
  /** The processes of threads that have called nothing yet. */
  readonly #bornIn = new Map<number, number>()
  readonly #processes = new Map<number, { name: string; isNew: boolean }>()
  readonly #ended: { tid: number; pid: number; name: string }[] = []
  #refreshedMs = 0

  constructor(pidOf: (tid: number) => number, names: TaskNames) {
    this.#pidOf = pidOf
    this.#names = names
  }

  /** The process of a thread, asked for once in the thread's life: it may be gone when its last events come. */
  pidOf(tid: number): number {
    const known = this.#threads.get(tid)
    if (known !== undefined) return known.pid
    const pid = this.#bornIn.get(tid) ?? this.#pidOf(tid)
    this.#bornIn.delete(tid)
    this.#threads.set(tid, { pid, name: this.#names.thread(pid, tid) ?? '', isNew: true })
    if (!this.#processes.has(pid)) {
      this.#processes.set(pid, { name: this.#names.process(pid) ?? '', isNew: true })
    }
    return pid
  }

  /** A thread that was made by one that is traced. */
  born(tid: number, pid: number): void {
    this.ended(tid)
    this.#bornIn.set(tid, pid)
  }

  ended(tid: number): void {
    this.#bornIn.delete(tid)
    const task = this.#threads.get(tid)
    if (task === undefined) return
    this.#threads.delete(tid)
    if (task.isNew) this.#ended.push({ tid, pid: task.pid, name: task.name })
  }

  writeAllAgain(): void {
    for (const task of this.#threads.values()) task.isNew = true
    for (const process of this.#processes.values()) process.isNew = true
  }

  /** What has come or has a new name since the last time; undefined where nothing has. */
  news(): TasksPart | undefined {
    if (performance.now() - this.#refreshedMs > refreshIntervalMs) this.#refresh()
    const processes = [...this.#processes].filter(([, { isNew }]) => isNew)
    const threads = [...this.#threads].filter(([, { isNew }]) => isNew)
    const ended = this.#ended.splice(0)
    if (processes.length + threads.length + ended.length === 0) return undefined
    for (const [, task] of [...processes, ...threads]) task.isNew = false
    return {
      processes: processes.map(([pid, { name }]) => ({ pid, name })),
      threads: [...ended, ...threads.map(([tid, { pid, name }]) => ({ tid, pid, name }))],
    }
  }

  #refresh(): void {
    let asked = 0
    for (const [tid, task] of this.#threads) {
      if (asked++ === mostRefreshed) break
      rename(task, this.#names.thread(task.pid, tid))
    }
    for (const [pid, process] of this.#processes) {
      if (asked++ >= 2 * mostRefreshed) break
      rename(process, this.#names.process(pid))
    }
    this.#refreshedMs = performance.now()
  }
}

function rename(task: { name: string; isNew: boolean }, name: string | undefined): void {
  if (name === undefined || name === task.name) return
  task.name = name
  task.isNew = true
}
