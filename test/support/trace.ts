/** One line of `utrace --format jsonl`. */
export interface BeginOrEnd {
  readonly type: 'begin' | 'end'
  readonly tsNs: number
  readonly pid: number
  readonly tid: number
  /** Of a thread that switches stacks; absent for its first. */
  readonly stack?: number
  /** Of a begin: it was open when the process was forked. */
  readonly inherited?: boolean
  /** In a sample: how many calls it stands for. */
  readonly weight?: number
  readonly cpu: number
  /** 0-based. */
  readonly depth: number
  readonly name: string
  readonly symbol: string
  readonly module: string
  /** Of an end only. */
  readonly durationNs?: number
  /** Of an end, where it is not 0. */
  readonly waitedNs?: number
  readonly rawDurationNs?: number
  readonly offCpuNs?: number
  readonly pageFaults?: number
  readonly migrations?: number
  readonly how?: 'return' | 'unwound' | 'inferred' | 'cut'
}
export interface Lost {
  readonly type: 'lost'
  readonly tsNs: number
  readonly count: number
}
export interface Note {
  readonly type: 'note'
  readonly tsNs: number
  readonly text: string
}
export type TraceLine = BeginOrEnd | Lost | Note

export const isCallEvent = (line: TraceLine): line is BeginOrEnd =>
  line.type === 'begin' || line.type === 'end'

export function parseTrace(text: string): TraceLine[] {
  const lines = text.split('\n').filter((line) => line !== '')
  return lines.map((line, index) => {
    try {
      return JSON.parse(line) as TraceLine
    } catch (cause) {
      throw new Error(`line ${index + 1} of the trace is not JSON: ${line.slice(0, 200)}`, { cause })
    }
  })
}

/** By thread, and by stack of those that switch between several. */
export function byThread(lines: readonly TraceLine[]): Map<string, BeginOrEnd[]> {
  const threads = new Map<string, BeginOrEnd[]>()
  for (const line of lines) {
    if (!isCallEvent(line)) continue
    const thread = line.stack === undefined ? `${line.tid}` : `${line.tid}/${line.stack}`
    const events = threads.get(thread) ?? []
    events.push(line)
    threads.set(thread, events)
  }
  return threads
}

const hows = new Set(['return', 'unwound', 'inferred', 'cut'])

/**
 * What holds of every trace: per thread calls nest, depth is the number of open calls, times never run backwards, a
 * duration is the difference of its ends, and every begin has its end. The first breach in words, or undefined.
 * `hidden` calls (by a filter) leave gaps in the depths.
 */
export function malformation(
  lines: readonly TraceLine[],
  hidden: 'none' | 'some' = 'none',
): string | undefined {
  for (const [tid, events] of byThread(lines)) {
    const open: BeginOrEnd[] = []
    let latest = 0
    for (const [index, event] of events.entries()) {
      const at = `thread ${tid}, event ${index + 1} (${event.type} ${event.symbol})`
      if (event.tsNs < latest) return `${at}: time runs backwards`
      latest = event.tsNs
      const parent = open.at(-1)
      if (event.type === 'begin') {
        const expected = parent === undefined ? 0 : parent.depth + 1
        if (hidden === 'none' && event.depth !== expected)
          return `${at}: depth ${event.depth}, not ${expected}`
        if (event.depth < expected) return `${at}: depth ${event.depth} is not below ${expected - 1}`
        open.push(event)
      } else {
        if (parent?.symbol !== event.symbol) return `${at}: ends ${event.symbol} inside ${parent?.symbol}`
        if (parent.depth !== event.depth) return `${at}: depth ${event.depth} began as ${parent.depth}`
        const duration = event.tsNs - parent.tsNs
        // Absolute times beyond 2^53 ns lose digits in JSON.parse; durations do not.
        const { durationNs = -1, rawDurationNs = -1 } = event
        if (Math.abs(duration - rawDurationNs) > 4)
          return `${at}: duration ${rawDurationNs} measured, not ${duration}`
        if (durationNs < 0 || durationNs > rawDurationNs - (event.waitedNs ?? 0) + 4)
          return `${at}: duration ${durationNs} where ${rawDurationNs} was measured`
        if (!hows.has(event.how ?? '')) return `${at}: ends by '${event.how}'`
        open.pop()
      }
    }
    if (open.length > 0) return `thread ${tid}: ${open.map((call) => call.symbol).join(' > ')} never end`
  }
  return undefined
}

/** Number of calls by linkage name. */
export function callCounts(lines: readonly TraceLine[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const line of lines) {
    if (line.type === 'begin' && isCallEvent(line) && line.inherited !== true)
      counts.set(line.symbol, (counts.get(line.symbol) ?? 0) + 1)
  }
  return counts
}

export function lostEvents(lines: readonly TraceLine[]): number {
  return lines.reduce((sum, line) => sum + (line.type === 'lost' ? line.count : 0), 0)
}
