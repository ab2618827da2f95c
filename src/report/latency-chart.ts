import type { Summary } from './aggregate.ts'
import { alignRight, countText, durationText } from './cell.ts'
import { footnotes } from './footnotes.ts'
import type { Power } from './histograms.ts'

const barWidth = 50
const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']
const barColour = '\x1b[36m'

/**
 * The spread of a function's durations, one line per power of two with a bar that is as long as calls are many, and
 * the percentiles below.
 * @param label what it is of, safe to print
 */
export function latencyChart(summary: Summary, label: string, color: boolean): string[] {
  const { calls, p50Ns, p90Ns, p99Ns, p999Ns, minNs, avgNs, maxNs } = summary
  const numbers = { min: minNs, avg: avgNs, p50: p50Ns, p90: p90Ns, p99: p99Ns, 'p99.9': p999Ns, max: maxNs }
  const words = Object.entries(numbers).map(([name, ns]) => `${name} ${durationText(ns).trim()}`)
  return [
    ` ${label}: ${countText(calls)} call${calls === 1 ? '' : 's'}`,
    '',
    ...durationBars(summary.powersOfTwo(), color),
    '',
    ` ${words.join(', ')}`,
    ...footnotes({ ends: summary.ends, lostEvents: 0 }).map((note) => ` ${note}`),
  ]
}

/** A line per power of two, with a bar that is as long as calls are many. */
export function durationBars(powers: readonly Power[], color: boolean): string[] {
  const most = Math.max(...powers.map(({ count }) => count))
  const counts = powers.map(({ count }) => countText(count))
  const countWidth = Math.max('CALLS'.length, ...counts.map((text) => text.length))
  const lines = powers.map(({ fromNs, toNs, count }, index) => {
    const range = `[${durationText(fromNs)}, ${durationText(toNs)})`
    const bar = alignRight({ text: barOf(count / most), colour: barColour }, 0, color)
    return ` ${range} ${counts[index]!.padStart(countWidth)} |${bar}`
  })
  return [` ${'DURATION'.padEnd(24)} ${'CALLS'.padStart(countWidth)}`, ...lines]
}

/** A bar for a share from 0 to 1; whatever is there shows, if only as a sliver. */
function barOf(share: number): string {
  const steps = share === 0 ? 0 : Math.max(1, Math.round(share * barWidth * 8))
  return '█'.repeat(Math.floor(steps / 8)) + eighths[steps % 8]!
}
