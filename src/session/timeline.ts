import { type EventConsumer, eventKind } from '../base/event.ts'
import { asTraceNs, type Tid, type TraceNs } from '../base/units.ts'
import type { TraceSink } from '../trace/call.ts'
import type { TraceClock } from '../trace/clock.ts'

/** The events that are not the kernel's: what utrace itself changes while it traces. */
type OwnEvent = 'exitsProbed' | 'stacksSwitch' | 'dropped'

/** The present end of the trace: the time there, and what utrace adds to what the kernel reports. */
export class Timeline {
  /** Trace time 0 is when this was made. */
  readonly clock: TraceClock = { baseNs: process.hrtime.bigint() }
  #events: EventConsumer | undefined
  /** Of threads that were held up: not handed on yet. */
  readonly #waits: { readonly tid: Tid; readonly untilNs: TraceNs; readonly waitedNs: number }[] = []
  #sink: TraceSink | undefined
  /** What was to be said before there was somebody to hear it. */
  readonly #earlyNotes: string[] = []

  now(): TraceNs {
    return asTraceNs(Number(process.hrtime.bigint() - this.clock.baseNs))
  }

  /** From now on there is somebody to hear it: whatever has been said before is said now. */
  begin(events: EventConsumer, sink: TraceSink): void {
    this.#events = events
    this.#sink = sink
    for (const text of this.#earlyNotes.splice(0)) this.note(text)
  }

  /** Says something at this place of the trace. */
  note(text: string): void {
    if (this.#sink === undefined) this.#earlyNotes.push(text)
    else this.#sink.note({ timeNs: this.now(), text })
  }

  /** A thread was held up. Its events from before are perhaps still on their way: `inOrder` puts it behind them. */
  waited(tid: Tid, sinceNs: TraceNs, untilNs: TraceNs): void {
    this.#waits.push({ tid, untilNs, waitedNs: untilNs - sinceNs })
  }

  /** Where the kernel's events go, so that those of threads which were held up come at their time. */
  inOrder(events: EventConsumer): EventConsumer {
    if (this.#waits.length === 0) return events
    return {
      event: (timeNs, stack, tid, kind, functionId, cpu) => {
        this.tellWaits(events, timeNs)
        events.event(timeNs, stack, tid, kind, functionId, cpu)
      },
    }
  }

  /** Hands on what is known of threads that were held up. */
  tellWaits(events: EventConsumer, upToNs: TraceNs): void {
    while (this.#waits.length > 0 && this.#waits[0]!.untilNs <= upToNs) {
      const { tid, untilNs, waitedNs } = this.#waits.shift()!
      events.event(untilNs, waitedNs, tid, eventKind.waited, 0, 0)
    }
  }

  /**
   * Tells the reconstruction, and a recording, of something that holds from here on. Before tracing nobody needs it.
   * @param functionIds the functions that it is about, if it is about any
   */
  mark(kind: OwnEvent, functionIds: Iterable<number> = [0]): void {
    const now = this.now()
    for (const id of functionIds) this.#events?.event(now, 0, 0, eventKind[kind], id, 0)
  }
}
