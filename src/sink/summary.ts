import { formatDuration } from '../base/duration.ts'

/** What a trace came to, in plain numbers. */
export interface TraceStats {
  readonly calls: number
  /** Of a sample: how many were made, about. */
  readonly estimatedCalls?: number | undefined
  /** Undefined where calls were summed up in the kernel: there are no events then. */
  readonly threads?: number
  readonly lostEvents?: number
  readonly functionsTraced: number
  /** Functions that were asked for and are left out: reason → number. */
  readonly notTraced: ReadonlyMap<string, number>
  /** Calls that had not returned when tracing ended. */
  readonly openAtEnd: number
  /** How long threads waited for utrace, all together. */
  readonly waitedNs?: number
}

/**
 * The one line at the end of a trace, without a line break:
 * `utrace: 1,234 calls, 2 threads, 0 events lost, 742 functions traced, 3 not traced (2 no room for a probe, …)`.
 */
export function summaryLine(stats: TraceStats): string {
  const parts = [
    counted(stats.calls, 'call') + sampleText(stats.estimatedCalls),
    ...(stats.threads === undefined ? [] : [counted(stats.threads, 'thread')]),
    ...(stats.lostEvents === undefined ? [] : [`${counted(stats.lostEvents, 'event')} lost`]),
    `${counted(stats.functionsTraced, 'function')} traced`,
  ]
  const reasons = [...stats.notTraced].filter(([, count]) => count > 0).sort((a, b) => b[1] - a[1])
  if (reasons.length > 0) {
    const total = reasons.reduce((sum, [, count]) => sum + count, 0)
    const why = reasons.map(([reason, count]) => `${grouped(count)} ${reason}`).join(', ')
    parts.push(`${grouped(total)} not traced (${why})`)
  }
  const waitedNs = stats.waitedNs ?? 0
  const waited = waitedNs > 0 ? `; threads waited ${durationWords(waitedNs)} for utrace` : ''
  const open = stats.openAtEnd > 0 ? `; ${counted(stats.openAtEnd, 'call')} still open at the end` : ''
  return `utrace: ${parts.join(', ')}${open}${waited}`
}

/** How many there are for each reason. */
export function countReasons(untraced: readonly { readonly reason: string }[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { reason } of untraced) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  return counts
}

function sampleText(estimatedCalls: number | undefined): string {
  return estimatedCalls === undefined ? '' : ` of a sample (some ${grouped(estimatedCalls)} were made)`
}

function durationWords(ns: number): string {
  const { text, unit } = formatDuration(ns)
  return `${text.trim()} ${unit}`
}

function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`
}

/** In groups of three digits, whatever the locale. */
function grouped(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',')
}
