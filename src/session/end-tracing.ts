import { setTimeout as pause } from 'node:timers/promises'
import type { EventConsumer } from '../base/event.ts'
import type { Kernel } from '../bpf/kernel.ts'
import type { ReportDesk } from './answer-reports.ts'
import { Pause, pumpEvents } from './pump.ts'
import type { UnfollowedChildren } from './unfollowed-children.ts'
import type { ReturnUnhooker } from './unhook-returns.ts'

/** How long something that is stopped while probes are being removed waits at most until somebody looks. */
const lateLookMs = 5

/** What an end of tracing has to do with. */
export interface EndingParts {
  readonly kernel: Kernel
  readonly returns: ReturnUnhooker
  readonly desk: ReportDesk
  readonly unfollowed: UnfollowedChildren
  /** Hands on events up to now, so many at most. @returns their number */
  readonly drain: (consumer: EventConsumer, most: number) => number
  /** Removes all probes: that can take long. */
  readonly detach: () => Promise<unknown>
}

/** No call begins any more; those that end while the probes are removed, which takes time, are still seen. */
export async function endTracing(parts: EndingParts, events: EventConsumer): Promise<void> {
  parts.kernel.close()
  parts.returns.restoreAll()
  let isDetached = false
  const reading = new Pause()
  const detached = detachAndContinue(parts).finally(() => {
    isDetached = true
    reading.end()
  })
  // Nobody hears of events that wake the reader up any more.
  await pumpEvents({ drain: parts.drain }, events, {
    flush: () => {},
    done: () => isDetached,
    pause: reading,
  })
  await detached
}

/** Whatever the probes stop while they are removed is continued at once. */
async function detachAndContinue({ detach, desk, unfollowed }: EndingParts): Promise<void> {
  let over = false
  const detached = detach().then(() => {
    over = true
  })
  while (!over) {
    desk.continueAll()
    await Promise.race([detached, pause(lateLookMs)])
  }
  desk.continueAll()
  await unfollowed.allLeft()
}
