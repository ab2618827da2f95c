import type { EventConsumer, EventKind } from '../base/event.ts'
import { asTraceNs, type TraceNs } from '../base/units.ts'
import { type EventRing, threadMask } from './event-ring.ts'
import { functionIdMask, kindShift } from './layout.ts'

const twoTo32 = 4_294_967_296

/** Events of one CPU that have been read from its ring and wait for their turn. */
class CpuQueue {
  readonly cpu: number
  readonly ring: EventRing
  times: Float64Array
  stacks: Float64Array
  threads: Uint32Array
  kinds: Uint32Array
  head = 0
  tail = 0
  #sorted = true

  constructor(cpu: number, ring: EventRing, capacity: number) {
    this.cpu = cpu
    this.ring = ring
    this.times = new Float64Array(capacity)
    this.stacks = new Float64Array(capacity)
    this.threads = new Uint32Array(capacity)
    this.kinds = new Uint32Array(capacity)
  }

  /** Moves every complete record up to the snapshot here. Times are rebased, two words at a time: no BigInt. */
  take(baseLow: number, baseHigh: number): void {
    const { ring } = this
    let { times, stacks, threads, kinds } = this
    const { words } = ring
    let tail = this.tail
    let last = tail > this.head ? times[tail - 1]! : 0
    for (let at = ring.next(); at !== -1; at = ring.next()) {
      if (tail === times.length) {
        this.#grow()
        ;({ times, stacks, threads, kinds } = this)
      }
      const time = (words[at + 1]! - baseHigh) * twoTo32 + (words[at]! - baseLow)
      if (time < last) this.#sorted = false
      last = time
      times[tail] = time
      stacks[tail] = words[at + 3]! * twoTo32 + words[at + 2]!
      threads[tail] = words[at + 4]! & threadMask
      kinds[tail] = words[at + 5]!
      tail++
    }
    this.tail = tail
    ring.release()
  }

  /** Another CPU keeps this one waiting for long: rare, but its events must not be let out before their time. */
  #grow(): void {
    this.times = grown(this.times)
    this.stacks = grown(this.stacks)
    this.threads = grown(this.threads)
    this.kinds = grown(this.kinds)
  }

  /**
   * A thread that was preempted between taking a place and reading the clock leaves a record that is younger
   * than the next: rare, and by a few places. Insertion sort keeps records of equal time in their order.
   */
  sort(): void {
    if (this.#sorted) return
    const { times, stacks, threads, kinds } = this
    for (let index = this.head + 1; index < this.tail; index++) {
      const time = times[index]!
      if (times[index - 1]! <= time) continue
      const stack = stacks[index]!
      const thread = threads[index]!
      const kind = kinds[index]!
      let to = index
      for (; to > this.head && times[to - 1]! > time; to--) {
        times[to] = times[to - 1]!
        stacks[to] = stacks[to - 1]!
        threads[to] = threads[to - 1]!
        kinds[to] = kinds[to - 1]!
      }
      times[to] = time
      stacks[to] = stack
      threads[to] = thread
      kinds[to] = kind
    }
    this.#sorted = true
  }

  /** Moves what is left to the front, to make room. */
  compact(): void {
    if (this.head === 0) return
    for (const column of [this.times, this.stacks, this.threads, this.kinds])
      column.copyWithin(0, this.head, this.tail)
    this.tail -= this.head
    this.head = 0
  }
}

function grown<Column extends Float64Array | Uint32Array>(column: Column): Column {
  const larger = new (column.constructor as new (length: number) => Column)(column.length * 2)
  larger.set(column)
  return larger
}

/** How often a record that is still being written is looked at again before the batch is put off. */
const busyRetries = 64

/**
 * Events of all CPUs in the order of their time. Exact: a record has its place before its clock is read, so whatever is
 * older than a reading of the clock made before the snapshots is in the snapshots; the rest waits for the next drain.
 */
export class EventMerger {
  readonly #queues: CpuQueue[]
  readonly #baseNs: bigint
  readonly #baseLow: number
  readonly #baseHigh: number
  #seenUntilNs = asTraceNs(0)
  /** Up to when events are being handed on, if some of them were left for the next time. */
  #horizonNs: number | undefined

  /**
   * @param rings one per CPU, in the order of CPU numbers
   * @param baseNs what is subtracted from every time
   */
  constructor(rings: readonly { cpu: number; ring: EventRing }[], baseNs: bigint) {
    this.#queues = rings.map(({ cpu, ring }) => new CpuQueue(cpu, ring, ring.records * 2))
    this.#baseNs = baseNs
    this.#baseLow = Number(baseNs & 0xffff_ffffn)
    this.#baseHigh = Number(baseNs >> 32n)
  }

  /**
   * Hands on every event up to `nowNs`, a reading of CLOCK_MONOTONIC made just before the call.
   * @param most ends after so many events: the next call goes on with what is left
   * @returns the number of events: 0 only where nothing is left, or what is left waits for a record that is being written
   */
  drain(nowNs: bigint, consumer: EventConsumer, most = Number.POSITIVE_INFINITY): number {
    const before = this.#horizonNs === undefined ? 0 : this.#handOn(this.#horizonNs, consumer, most)
    if (before >= most || !this.#take()) return before
    return before + this.#handOn(Number(nowNs - this.#baseNs), consumer, most - before)
  }

  /** Reads the rings. @returns false where a record is still being written: events behind it could be older than those of other CPUs */
  #take(): boolean {
    for (const { ring } of this.#queues) ring.snapshot()
    let complete = true
    for (const queue of this.#queues) {
      queue.take(this.#baseLow, this.#baseHigh)
      for (let retry = 0; queue.ring.pending && retry < busyRetries; retry++) {
        queue.take(this.#baseLow, this.#baseHigh)
      }
      queue.sort()
      if (queue.ring.pending) complete = false
    }
    return complete
  }

  /** Events that were read, up to a time at which all had been. */
  #handOn(horizonNs: number, consumer: EventConsumer, most: number): number {
    const count = this.#merge(horizonNs, consumer, most)
    this.#horizonNs = count < most ? undefined : horizonNs
    if (this.#horizonNs === undefined) {
      this.#seenUntilNs = asTraceNs(horizonNs)
      for (const queue of this.#queues) queue.compact()
    }
    return count
  }

  /** Every event up to then was handed on. */
  get seenUntilNs(): TraceNs {
    return this.#seenUntilNs
  }

  #merge(horizon: number, consumer: EventConsumer, most: number): number {
    const queues = this.#queues
    let count = 0
    while (count < most) {
      let first: CpuQueue | undefined
      let firstTime = horizon
      let until = horizon
      for (const queue of queues) {
        if (queue.head === queue.tail) continue
        const time = queue.times[queue.head]!
        if (time <= firstTime && (first === undefined || time < firstTime)) {
          if (first !== undefined) until = firstTime
          first = queue
          firstTime = time
        } else if (time < until) {
          until = time
        }
      }
      if (first === undefined) break
      count += deliver(first, until, consumer, most - count)
    }
    return count
  }
}

/** Hands on the events of one CPU, so many at most, as long as they are not younger than `until`. */
function deliver(queue: CpuQueue, until: number, consumer: EventConsumer, most: number): number {
  const { times, stacks, threads, kinds, cpu } = queue
  let head = queue.head
  const start = head
  const tail = Math.min(queue.tail, start + most)
  for (; head < tail; head++) {
    const time = times[head]!
    if (time > until) break
    const kind = kinds[head]!
    consumer.event(
      asTraceNs(time),
      stacks[head]!,
      threads[head]!,
      (kind >>> kindShift) as EventKind,
      kind & functionIdMask,
      cpu,
    )
  }
  queue.head = head
  return head - start
}
