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
  #bytes: Uint8Array = new Uint8Array(0)
  #at = 0

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
    this.#bytes = bytes
    this.#at = floatBytes
    this.#threadCount = 0
    const prediction = this.#prediction
    prediction.reset()
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    let time = view.getFloat64(0, true)
    let thread: ThreadModel | undefined
    for (let decoded = 0; decoded < count; ) {
      if (this.#at >= payloadBytes) throw new EventCodeError('the chunk ends early')
      const first = bytes[this.#at++]!
      const code = first & 3
      if (code !== form.operation) {
        if (thread === undefined) throw new EventCodeError('an event of no thread')
        time += this.#delta(first)
        decoded++
        const { caller, reference } = thread
        if (code === form.exit) {
          const fn = caller - 1
          const slot = exitSlot(fn)
          const kind = prediction.exitKinds[slot]! as EventKind
          if (caller === 0 || kind === 0) throw new EventCodeError('a return of no call')
          const stack = reference + prediction.exitOffsets[slot]!
          prediction.leave(thread, stack, fn, kind)
          consumer.event(asTraceNs(time), stack, thread.tid, kind, fn, thread.cpu)
        } else {
          const fn =
            code === form.entry
              ? prediction.successors[successorSlot(caller, thread.previous)]! - 1
              : this.#number()
          this.#checkFunction(fn)
          const stack = reference - prediction.frameSizes[frameSlot(caller, fn)]!
          prediction.enter(thread, stack, fn)
          consumer.event(asTraceNs(time), stack, thread.tid, eventKind.entry, fn, thread.cpu)
        }
        continue
      }
      const op = first >> 2
      switch (op) {
        case operation.newThread:
          thread = this.#addThread()
          break
        case operation.verbatim: {
          const at = this.#at
          this.#at += 2 * floatBytes
          const kind = this.#number() as EventKind
          const fn = this.#number()
          const tid = this.#number()
          const cpu = this.#number()
          if (isCallEvent(kind)) this.#checkFunction(fn)
          decoded++
          const stack = view.getFloat64(at + floatBytes, true)
          consumer.event(asTraceNs(view.getFloat64(at, true)), stack, tid, kind, fn, cpu)
          break
        }
        case operation.thread:
          thread = this.#threadAt(this.#number())
          break
        case operation.back:
          time -= this.#number()
          break
        default: {
          if (op <= operation.lastThread) {
            thread = this.#threadAt(op)
            break
          }
          if (thread === undefined) throw new EventCodeError('an event of no thread')
          if (op === operation.processor) {
            thread.cpu = this.#number()
            break
          }
          const kind = kindOf(op)
          time += this.#number()
          const fn = this.#number()
          this.#checkFunction(fn)
          decoded++
          const distance = this.#signed()
          const stack = kind === eventKind.entry ? thread.reference - distance : thread.reference + distance
          if (kind === eventKind.entry) prediction.enter(thread, stack, fn)
          else prediction.leave(thread, stack, fn, kind)
          consumer.event(asTraceNs(time), stack, thread.tid, kind, fn, thread.cpu)
        }
      }
    }
    if (this.#at !== payloadBytes) throw new EventCodeError('the chunk ends late')
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

  /** The time that begins in an event's first byte. */
  #delta(first: number): number {
    const low = (first >> 2) & 31
    if (first < 128) return low
    const second = this.#bytes[this.#at]!
    if (second < 128) {
      this.#at++
      return low | (second << 5)
    }
    return low + this.#number() * 32
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
