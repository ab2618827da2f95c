import { type EventConsumer, type EventKind, eventKind, isCallEvent } from '../base/event.ts'
import { asTraceNs } from '../base/units.ts'
import { form, operation } from './event-code.ts'
import { exitSlot, frameSlot, Prediction, successorSlot, ThreadModel } from './prediction.ts'

/** The bytes are not those of an encoder. */
export class EventCodeError extends Error {
  override readonly name = 'EventCodeError'
}

/** Bytes that must be there beyond the end of a payload, whatever they hold: reading checks its bounds per event. */
export const readAheadBytes = 128
const longestNumberBytes = 8
const floatBytes = 8

/** Decodes what `EventEncoder` has made. */
export class EventDecoder {
  readonly #functionCount: number
  readonly #threadSeen: (tid: number, pid: number) => void
  readonly #prediction = new Prediction()
  readonly #threads: ThreadModel[] = []
  #threadCount = 0
  /** That of the next event, unless it says otherwise. */
  #thread: ThreadModel | undefined
  #bytes: Uint8Array = new Uint8Array(0)
  #view: DataView = new DataView(new ArrayBuffer(0))
  #at = 0
  #time = 0

  /**
   * @param functionCount event that name other functions are errors
   * @param threadSeen told the process of each thread before its first event in a chunk
   */
  constructor(functionCount: number, threadSeen: (tid: number, pid: number) => void) {
    this.#functionCount = functionCount
    this.#threadSeen = threadSeen
  }

  /**
   * Hands on the events of one chunk.
   * @param bytes the payload and `readAheadBytes` more
   * @param count the number of events that the payload holds
   * @throws EventCodeError
   */
  decode(bytes: Uint8Array, payloadBytes: number, count: number, consumer: EventConsumer): void {
    if (count === 0 && payloadBytes === 0) return
    this.#start(bytes)
    const prediction = this.#prediction
    let at = floatBytes
    let time = this.#view.getFloat64(0, true)
    for (let decoded = 0; decoded < count; ) {
      if (at >= payloadBytes) throw new EventCodeError('the chunk ends early')
      const first = bytes[at++]!
      const code = first & 3
      if (code === form.operation) {
        this.#at = at
        this.#time = time
        if (this.#operate(first >> 2, consumer)) decoded++
        at = this.#at
        time = this.#time
        continue
      }
      const thread = this.#thread
      if (thread === undefined) throw new EventCodeError('an event of no thread')
      const second = bytes[at]!
      const third = bytes[at + 1]!
      if (first < 128) time += first >> 2
      else if (second < 128) {
        time += ((first >> 2) & 31) | (second << 5)
        at++
      } else if (third < 128) {
        time += ((first >> 2) & 31) | ((second & 127) << 5) | (third << 12)
        at += 2
      } else {
        this.#at = at
        time += ((first >> 2) & 31) + this.#number() * 32
        at = this.#at
      }
      decoded++
      const { caller, reference } = thread
      if (code === form.exit) {
        const fn = caller - 1
        const slot = exitSlot(fn)
        const kind = prediction.exitKinds[slot]! as EventKind
        if (caller === 0 || kind === 0) throw new EventCodeError('a return of no call')
        const stack = reference + prediction.exitOffsets[slot]!
        prediction.leaveExpected(thread, stack, fn, kind)
        consumer.event(asTraceNs(time), stack, thread.tid, kind, fn, thread.cpu)
        continue
      }
      let fn = prediction.successors[successorSlot(caller, thread.previous)]! - 1
      if (code === form.otherEntry) {
        this.#at = at
        fn = this.#number()
        at = this.#at
      }
      this.#checkFunction(fn)
      const stack = reference - prediction.frameSizes[frameSlot(caller, fn)]!
      if (code === form.entry) prediction.enterExpected(thread, stack, fn)
      else prediction.enter(thread, stack, fn)
      consumer.event(asTraceNs(time), stack, thread.tid, eventKind.entry, fn, thread.cpu)
    }
    if (at !== payloadBytes) throw new EventCodeError('the chunk ends late')
  }

  #start(bytes: Uint8Array): void {
    this.#prediction.reset()
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#threadCount = 0
    this.#thread = undefined
  }

  /** What is not as expected, and rare. @returns whether it is an event */
  #operate(op: number, consumer: EventConsumer): boolean {
    switch (op) {
      case operation.newThread:
        this.#thread = this.#addThread()
        return false
      case operation.verbatim: {
        const at = this.#at
        this.#at += 2 * floatBytes
        const kind = this.#number() as EventKind
        const fn = this.#number()
        const tid = this.#number()
        const cpu = this.#number()
        if (isCallEvent(kind)) this.#checkFunction(fn)
        const stack = this.#view.getFloat64(at + floatBytes, true)
        consumer.event(asTraceNs(this.#view.getFloat64(at, true)), stack, tid, kind, fn, cpu)
        return true
      }
      case operation.thread:
        this.#thread = this.#threadAt(this.#number())
        return false
      case operation.back:
        this.#time -= this.#number()
        return false
    }
    if (op <= operation.lastThread) {
      this.#thread = this.#threadAt(op)
      return false
    }
    const thread = this.#thread
    if (thread === undefined) throw new EventCodeError('an event of no thread')
    if (op === operation.processor) {
      thread.cpu = this.#number()
      return false
    }
    const kind = kindOf(op)
    this.#time += this.#number()
    const fn = this.#number()
    this.#checkFunction(fn)
    const distance = this.#signed()
    const stack = kind === eventKind.entry ? thread.reference - distance : thread.reference + distance
    if (kind === eventKind.entry) this.#prediction.enter(thread, stack, fn)
    else this.#prediction.leave(thread, stack, fn, kind)
    consumer.event(asTraceNs(this.#time), stack, thread.tid, kind, fn, thread.cpu)
    return true
  }

  #checkFunction(fn: number): void {
    if (fn < 0 || fn >= this.#functionCount) throw new EventCodeError(`there is no function ${fn}`)
  }

  #addThread(): ThreadModel {
    const tid = this.#number()
    const pid = this.#number()
    const cpu = this.#number()
    const number = this.#threadCount++
    this.#threads[number] ??= new ThreadModel()
    const thread = this.#threads[number]
    thread.start(tid, pid, cpu)
    this.#threadSeen(tid, pid)
    return thread
  }

  #threadAt(number: number): ThreadModel {
    if (number >= this.#threadCount) throw new EventCodeError(`there is no thread ${number}`)
    return this.#threads[number]!
  }

  #number(): number {
    const bytes = this.#bytes
    let byte = bytes[this.#at++]!
    if (byte < 128) return byte
    let value = byte & 127
    let scale = 128
    for (let length = 1; length < longestNumberBytes; length++) {
      byte = bytes[this.#at++]!
      value += (byte & 127) * scale
      if (byte < 128) return value
      scale *= 128
    }
    throw new EventCodeError('a number is too long')
  }

  #signed(): number {
    const value = this.#number()
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2
  }
}

function kindOf(code: number): EventKind {
  if (code === operation.entryAt) return eventKind.entry
  if (code === operation.returnAt) return eventKind.return
  if (code === operation.retAt) return eventKind.ret
  if (code === operation.jumpAt) return eventKind.jump
  throw new EventCodeError(`there is no operation ${code}`)
}
