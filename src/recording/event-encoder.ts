import { type EventConsumer, type EventKind, eventKind, isCallEvent, isTimed } from '../base/event.ts'
import type { TraceNs } from '../base/units.ts'
import { form, largestNumber, longestEventBytes, operation } from './event-code.ts'
import { exitSlot, frameSlot, Prediction, successorSlot, ThreadModel } from './prediction.ts'

const floatBytes = 8

/**
 * Encodes events into a buffer, one chunk at a time: nothing is allocated per event. Whatever is expected of an event
 * is left out. The times of a chunk start from the time of its first event, as 64-bit floating point.
 */
export class EventEncoder implements EventConsumer {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #pidOf: (tid: number) => number
  readonly #prediction = new Prediction()
  /** The threads of this chunk by number; the objects are used again for the next. */
  readonly #threads: ThreadModel[] = []
  readonly #numbers = new Map<number, number>()
  #threadCount = 0
  #thread: ThreadModel | undefined
  #time = 0
  #at = 0
  count = 0
  /** When the first and the last event were: none of it where no event has a time. */
  minNs = Number.POSITIVE_INFINITY
  maxNs = Number.NEGATIVE_INFINITY

  /** @param pidOf the process of a thread, asked for once per thread and chunk */
  constructor(capacityBytes: number, pidOf: (tid: number) => number) {
    this.#bytes = new Uint8Array(capacityBytes)
    this.#view = new DataView(this.#bytes.buffer)
    this.#pidOf = pidOf
  }

  /** Whether the next event may not fit. */
  get full(): boolean {
    return this.#at + longestEventBytes > this.#bytes.length
  }

  /** What was encoded since `reset`: a view, valid until the next event. */
  get payload(): Uint8Array {
    return this.#bytes.subarray(0, this.#at)
  }

  reset(): void {
    this.#prediction.reset()
    this.#numbers.clear()
    this.#threadCount = 0
    this.#thread = undefined
    this.#at = 0
    this.count = 0
  }

  event(time: TraceNs, stack: number, tid: number, kind: EventKind, functionId: number, cpu: number): void {
    if (this.count === 0) this.#start(time)
    this.count++
    if (isTimed(kind)) {
      if (time < this.minNs) this.minNs = time
      if (time > this.maxNs) this.maxNs = time
    }
    if (!isCallEvent(kind) || !(stack >= 0 && stack < largestNumber)) {
      this.#verbatim(time, stack, tid, kind, functionId, cpu)
      return
    }
    let thread = this.#thread
    if (thread === undefined || thread.tid !== tid) thread = this.#switchTo(tid, cpu)
    if (thread.cpu !== cpu) {
      this.#operation(operation.processor)
      this.#number(cpu)
      thread.cpu = cpu
    }
    let delta = time - this.#time
    if (delta < 0) {
      this.#operation(operation.back)
      this.#number(-delta)
      delta = 0
    }
    this.#time = time
    if (kind === eventKind.entry) this.#enter(thread, delta, stack, functionId)
    else this.#leave(thread, delta, stack, functionId, kind)
  }

  #start(time: TraceNs): void {
    this.#view.setFloat64(this.#at, time, true)
    this.#at += floatBytes
    this.#time = time
    this.minNs = Number.POSITIVE_INFINITY
    this.maxNs = Number.NEGATIVE_INFINITY
  }

  #enter(thread: ThreadModel, delta: number, stack: number, fn: number): void {
    const { caller, reference } = thread
    const prediction = this.#prediction
    if (stack !== reference - prediction.frameSizes[frameSlot(caller, fn)]!) {
      this.#operation(operation.entryAt)
      this.#number(delta)
      this.#number(fn)
      this.#signed(reference - stack)
    } else if (prediction.successors[successorSlot(caller, thread.previous)] === fn + 1) {
      this.#timed(form.entry, delta)
    } else {
      this.#timed(form.otherEntry, delta)
      this.#number(fn)
    }
    prediction.enter(thread, stack, fn)
  }

  #leave(thread: ThreadModel, delta: number, stack: number, fn: number, kind: EventKind): void {
    const { caller, reference } = thread
    const prediction = this.#prediction
    const slot = exitSlot(fn)
    if (
      caller === fn + 1 &&
      prediction.exitKinds[slot] === kind &&
      stack === reference + prediction.exitOffsets[slot]!
    ) {
      this.#timed(form.exit, delta)
    } else {
      this.#operation(exitOperation(kind))
      this.#number(delta)
      this.#number(fn)
      this.#signed(stack - reference)
    }
    prediction.leave(thread, stack, fn, kind)
  }

  #switchTo(tid: number, cpu: number): ThreadModel {
    const known = this.#numbers.get(tid)
    if (known === undefined) return this.#addThread(tid, cpu)
    if (known <= operation.lastThread) this.#operation(known)
    else {
      this.#operation(operation.thread)
      this.#number(known)
    }
    this.#thread = this.#threads[known]!
    return this.#thread
  }

  #addThread(tid: number, cpu: number): ThreadModel {
    const pid = this.#pidOf(tid)
    this.#operation(operation.newThread)
    this.#number(tid)
    this.#number(pid)
    this.#number(cpu)
    const number = this.#threadCount++
    this.#threads[number] ??= new ThreadModel()
    const thread = this.#threads[number]
    thread.start(tid, pid, cpu)
    this.#numbers.set(tid, number)
    this.#thread = thread
    return thread
  }

  #verbatim(
    time: TraceNs,
    stack: number,
    tid: number,
    kind: EventKind,
    functionId: number,
    cpu: number,
  ): void {
    // Whoever rebuilds the calls may ask for the process of its thread.
    const ofNoThread = kind === eventKind.lost || kind === eventKind.threadExit || kind === eventKind.exec
    if (!ofNoThread && tid !== 0 && this.#thread?.tid !== tid) this.#switchTo(tid, cpu)
    this.#operation(operation.verbatim)
    this.#view.setFloat64(this.#at, time, true)
    this.#view.setFloat64(this.#at + floatBytes, stack, true)
    this.#at += 2 * floatBytes
    this.#number(kind)
    this.#number(functionId)
    this.#number(tid)
    this.#number(cpu)
    // The number of a thread that has ended may be another's next.
    if (kind === eventKind.threadExit) this.#forget(tid)
    else if (kind === eventKind.exec) this.#forgetAll()
  }

  #forget(tid: number): void {
    this.#numbers.delete(tid)
    if (this.#thread?.tid === tid) this.#thread = undefined
  }

  #forgetAll(): void {
    this.#numbers.clear()
    this.#thread = undefined
  }

  #operation(code: number): void {
    this.#bytes[this.#at++] = form.operation | (code << 2)
  }

  #timed(code: number, delta: number): void {
    const bytes = this.#bytes
    if (delta < 32) {
      bytes[this.#at++] = code | (delta << 2)
    } else if (delta < 4096) {
      bytes[this.#at] = code | ((delta & 31) << 2) | 128
      bytes[this.#at + 1] = delta >> 5
      this.#at += 2
    } else {
      bytes[this.#at++] = code | ((delta % 32) << 2) | 128
      this.#number(Math.floor(delta / 32))
    }
  }

  #number(value: number): void {
    const bytes = this.#bytes
    let rest = value
    while (rest >= 2 ** 31) {
      bytes[this.#at++] = (rest % 128) | 128
      rest = Math.floor(rest / 128)
    }
    while (rest >= 128) {
      bytes[this.#at++] = (rest & 127) | 128
      rest >>>= 7
    }
    bytes[this.#at++] = rest
  }

  #signed(value: number): void {
    this.#number(value < 0 ? -2 * value - 1 : 2 * value)
  }
}

function exitOperation(kind: EventKind): number {
  if (kind === eventKind.return) return operation.returnAt
  return kind === eventKind.ret ? operation.retAt : operation.jumpAt
}
