import { type EventConsumer, eventKind } from '../base/event.ts'
import { asTraceNs, type TraceNs } from '../base/units.ts'
import type { TraceSink } from '../trace/call.ts'
import type { TraceClock } from '../trace/clock.ts'

/** The events that are not the kernel's: what utrace itself changes while it traces. */
type OwnEvent = 'exitsProbed' | 'stacksSwitch' | 'dropped'

/** The present end of the trace: the time there, and what utrace adds to what the kernel reports. */
export class Timeline {
  /** Trace time 0 is when this was made. */
  readonly clock: TraceClock = { baseNs: process.hrtime.bigint() }
  #events: EventConsumer | undefined
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

  /**
   * Tells the reconstruction, and a recording, of something that holds from here on. Before tracing nobody needs it.
   * @param functionIds the functions that it is about, if it is about any
   */
  mark(kind: OwnEvent, functionIds: Iterable<number> = [0]): void {
    const now = this.now()
    for (const id of functionIds) this.#events?.event(now, 0, 0, eventKind[kind], id, 0)
  }
}
