import { isatty } from 'node:tty'
import { formatSize } from '../base/size.ts'
import { writeStandardError } from './output.ts'

const standardError = 2
const intervalMs = 500

/** A line on a terminal that is written over again and again; nothing where there is no terminal. */
export class ProgressLine {
  readonly #isTerminal = isatty(standardError)
  readonly #startedMs = performance.now()
  #shownMs = 0
  #calls = 0
  #isShown = false

  /** To be called as often as one likes. */
  show(calls: number, sizeBytes: number, lostEvents: number): void {
    const nowMs = performance.now()
    if (!this.#isTerminal || nowMs - this.#shownMs < intervalMs) return
    const perSecond = Math.round(
      ((calls - this.#calls) * 1000) / (nowMs - (this.#shownMs || this.#startedMs)),
    )
    const seconds = ((nowMs - this.#startedMs) / 1000).toFixed(1)
    const parts = [
      `${seconds} s`,
      `${calls.toLocaleString('en')} calls`,
      `${perSecond.toLocaleString('en')}/s`,
      formatSize(sizeBytes),
      `${lostEvents.toLocaleString('en')} lost`,
    ]
    writeStandardError(`\r\x1b[Kutrace: recording: ${parts.join(', ')}`)
    this.#shownMs = nowMs
    this.#calls = calls
    this.#isShown = true
  }

  /** Takes the line away. */
  clear(): void {
    if (this.#isShown) writeStandardError('\r\x1b[K')
    this.#isShown = false
  }
}
