import fc from 'fast-check'
import { type EventConsumer, type EventKind, eventKind } from '../../src/base/event.ts'
import { asTraceNs } from '../../src/base/units.ts'
import type { FunctionRecord } from '../../src/trace/functions.ts'

export interface RawEvent {
  readonly time: number
  readonly stack: number
  readonly tid: number
  readonly kind: EventKind
  readonly functionId: number
  readonly cpu: number
}

const sampleInterval = 50
const waysOut = ['return', 'ret', 'ret', 'none', 'entry'] as const

/** A function of each way out and displacement. */
export function randomFunctions(count: number): FunctionRecord[] {
  return Array.from({ length: count }, (_, id) => ({
    fn: { id, name: `f${id}(int)`, symbol: `f${id}`, module: `m${id % 3}`, kind: 'function' },
    entryDisplacement: (id % 4) * 8,
    entryProbe: 'emulated',
    wayOut: waysOut[id % waysOut.length]!,
    mayTailCall: id % 3 === 0,
  }))
}

/**
 * Threads and processes that call, return, unwind, fork, execute, end and lose events, all of them or a sample: times rise,
 * stacks are plausible.
 */
export function randomEvents(functions: readonly FunctionRecord[], minLength = 0) {
  const step = fc.record({
    tid: fc.integer({ min: 100, max: 103 }),
    action: fc.oneof(
      { weight: 20, arbitrary: fc.constantFrom('call', 'call', 'leave', 'leave', 'tail call', 'odd') },
      {
        weight: 2,
        arbitrary: fc.constantFrom('lost', 'exit', 'exec', 'fork', 'unwound', 'probed', 'hidden'),
      },
      { weight: 2, arbitrary: fc.constantFrom('page fault', 'off') },
      { weight: 2, arbitrary: fc.constantFrom('drawn', 'drawn', 'over') },
    ),
    functionId: fc.nat(functions.length - 1),
    pauseNs: fc.oneof(fc.nat(40), fc.nat(5000), fc.nat(1e9)),
    frame: fc.integer({ min: 1, max: 30 }),
    cpu: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(3) }),
  })
  const all = fc.array(step, { minLength, maxLength: 200, size: 'max' })
  return fc.tuple(fc.boolean(), all).map(([isSample, steps]) => {
    const events: RawEvent[] = []
    if (isSample)
      events.push({ time: 0, tid: 0, cpu: 0, kind: eventKind.sample, stack: sampleInterval, functionId: 0 })
    const open = new Map<number, { stack: number; functionId: number }[]>()
    let time = 1000
    for (const { tid, action, functionId, pauseNs, frame, cpu } of steps) {
      time += pauseNs
      const stack = open.get(tid) ?? []
      open.set(tid, stack)
      const top = stack.at(-1)
      const base = top?.stack ?? 2 ** 47 - tid * 65536
      const push = (event: Omit<RawEvent, 'time' | 'tid' | 'cpu'>) =>
        events.push({ time, tid, cpu, ...event })
      const enter = (at: number) => {
        stack.push({ stack: at, functionId })
        push({ kind: eventKind.entry, stack: at - functions[functionId]!.entryDisplacement, functionId })
      }
      if (action === 'call') enter(base - frame * 16)
      else if (action === 'tail call') enter(base)
      else if (action === 'leave' && top !== undefined) {
        stack.pop()
        const { wayOut } = functions[top.functionId]!
        if (wayOut === 'none' || wayOut === 'entry') continue
        push({ kind: eventKind[wayOut], stack: top.stack, functionId: top.functionId })
      } else if (action === 'odd') push({ kind: eventKind.ret, stack: base + frame * 8 - 64, functionId })
      else if (action === 'lost') push({ kind: eventKind.lost, stack: frame, functionId: 0 })
      else if (action === 'exit') {
        open.delete(tid)
        push({ kind: eventKind.threadExit, stack: 0, functionId: 1 })
      } else if (action === 'exec') push({ kind: eventKind.exec, stack: 7, functionId: 0 })
      else if (action === 'fork')
        push({ kind: eventKind.fork, stack: 104 + (frame % 4), functionId: frame % 2 })
      else if (action === 'unwound') push({ kind: eventKind.unwound, stack: base, functionId })
      else if (action === 'drawn' && isSample) {
        push({ kind: eventKind.drawn, stack: 0, functionId: 0 })
        enter(base - frame * 16)
      } else if (action === 'over' && isSample) push({ kind: eventKind.over, stack: base + 8, functionId: 0 })
      else if (action === 'page fault') push({ kind: eventKind.pageFault, stack: 0, functionId: 0 })
      else if (action === 'off') {
        push({ kind: eventKind.switched, stack: 0, functionId: 1 })
        time += pauseNs
        // Back on another CPU, perhaps.
        events.push({ time, tid, cpu: frame % 3, kind: eventKind.switched, stack: 0, functionId: 0 })
      } else if (action === 'hidden') {
        // In no less time than that.
        time += frame * 50
        push({ kind: eventKind.hidden, stack: frame * 50, functionId: 0 })
      } else if (action === 'probed') push({ kind: eventKind.exitsProbed, stack: 0, functionId })
    }
    return events
  })
}

export function feed(events: Iterable<RawEvent>, ...consumers: EventConsumer[]): void {
  for (const { time, stack, tid, kind, functionId, cpu } of events) {
    for (const consumer of consumers) consumer.event(asTraceNs(time), stack, tid, kind, functionId, cpu)
  }
}
