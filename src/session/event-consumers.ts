import { type EventConsumer, eventKind } from '../base/event.ts'

/** Each event goes to the first, then to the second. */
export function both(first: EventConsumer, second: EventConsumer): EventConsumer {
  return {
    event: (time, stack, tid, kind, functionId, cpu) => {
      first.event(time, stack, tid, kind, functionId, cpu)
      second.event(time, stack, tid, kind, functionId, cpu)
    },
  }
}

/**
 * Once there are so many calls no further ones begin.
 * @param callsSoFar how many the consumer has seen
 * @param reached told when they are that many, with every event from then on
 */
export function withCallLimit(
  consumer: EventConsumer,
  maxCalls: number,
  callsSoFar: () => number,
  reached: () => void,
): EventConsumer {
  return {
    event: (time, stack, tid, kind, functionId, cpu) => {
      if (kind === eventKind.entry && callsSoFar() >= maxCalls) return
      consumer.event(time, stack, tid, kind, functionId, cpu)
      if (callsSoFar() >= maxCalls) reached()
    },
  }
}
