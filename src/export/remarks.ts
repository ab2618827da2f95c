import { escapeText } from '../base/escape.ts'
import type { Call, Loss, Note } from '../trace/call.ts'
import { counted } from './text.ts'

/** More notes than this would drown what the file is about; the rest is counted. */
const notesKept = 50

/**
 * What a reader of an aggregated export must know, since it shows no single call: what was lost, which
 * durations are bounds, and the notes of the trace.
 */
export class Remarks {
  #lostEvents = 0
  #cut = 0
  #late = 0
  readonly #notes: string[] = []
  #noteCount = 0

  ended({ how }: Call): void {
    if (how === 'cut') this.#cut += 1
    else if (how !== 'return') this.#late += 1
  }

  lost({ count }: Loss): void {
    this.#lostEvents += count
  }

  note({ text, thread }: Note): void {
    this.#noteCount += 1
    if (this.#notes.length >= notesKept) return
    this.#notes.push(escapeText(thread === undefined ? text : `thread ${thread.tid}: ${text}`))
  }

  /** One sentence each, without control characters, ending in a full stop; none if all is exact. */
  lines(): readonly string[] {
    const lines: string[] = []
    if (this.#lostEvents > 0)
      lines.push(
        `${counted(this.#lostEvents, 'event')} lost: calls are missing, and durations around them are bounds.`,
      )
    if (this.#cut > 0)
      lines.push(`${counted(this.#cut, 'call')} cut by the end of the trace: at least as long as shown.`)
    if (this.#late > 0)
      lines.push(
        `${counted(this.#late, 'call')} ended without a return that was seen: at most as long as shown.`,
      )
    for (const note of this.#notes) lines.push(`Note: ${note}.`)
    const dropped = this.#noteCount - this.#notes.length
    if (dropped > 0) lines.push(`${counted(dropped, 'more note')} in the recording.`)
    return lines
  }
}
