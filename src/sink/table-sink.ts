import { escapeText } from '../base/escape.ts'
import type { TraceNs } from '../base/units.ts'
import {
  type Call,
  type CallEnd,
  durationNs,
  type Loss,
  type Note,
  rawDurationNs,
  type TracedFunction,
  type TracedThread,
} from '../trace/call.ts'
import type { TraceClock } from '../trace/clock.ts'
import { compensatedResolutionNs } from '../trace/probe-costs.ts'
import { ThreadTable } from '../trace/thread-table.ts'
import { ByteWriter, type ChunkWriter, encode } from './byte-writer.ts'
import { absent, type Bound, bound, type ColumnName } from './columns.ts'
import type { OutputSink } from './output-sink.ts'
import { Table } from './table.ts'

/** A call whose end does not come within this time is shown as open: blocked functions are seen while they block. */
const openingDelayNs = 40_000_000

export interface TableSinkOptions {
  readonly write: ChunkWriter
  readonly clock: TraceClock
  /** Columns for the processor, the thread and the time (the last one in seconds of CLOCK_MONOTONIC). */
  readonly cpu: boolean
  readonly tid: boolean
  readonly timestamp: boolean
  /** The columns, in their order, instead of those that the format and the above would give. */
  readonly columns?: readonly ColumnName[]
  /** Whether function names end in `@MODULE`. */
  readonly libname: boolean
  /** Whether durations are coloured, for a terminal. */
  readonly color: boolean
}

/** What a format puts right of the columns, for the three kinds of line that a call can have. */
export interface LineShape {
  /** Shown whatever the options say. */
  readonly columns: readonly ColumnName[]
  readonly separators: boolean
  opening(out: ByteWriter, fn: TracedFunction, depth: number): void
  closing(out: ByteWriter, call: Call): void
  /** A call with nothing between its begin and its end in its thread. */
  leaf(out: ByteWriter, call: Call): void
}

/**
 * What is known about a duration that ended this way. Of a call that was cut only that it ran until then; of one
 * whose own return was not seen only that it was over by the event that told so.
 */
export function boundOf(how: CallEnd): Bound {
  if (how === 'return') return bound.exact
  return how === 'cut' ? bound.atLeast : bound.atMost
}

/** What is short by itself is known as it was measured; what is short because something was taken off is not. */
export function resolutionOf(call: Call): number {
  if (call.how === 'cut' || durationNs(call) === rawDurationNs(call)) return 0
  return compensatedResolutionNs
}

/**
 * What is known of a thread: above all the last call that began in it, as long as its line is held back because
 * whether it is a leaf is not known.
 */
class HeldOpening {
  /** For each open call the time spent in those that it called; only if that is shown. */
  readonly childNs: number[] = []
  lastLineNs = absent
  isHeld = false
  fn: TracedFunction | undefined
  thread: TracedThread | undefined
  depth = 0
  beginNs = 0
  beginCpu = 0
}

/**
 * One line per leaf call and two per other call, in a table. Lines of one thread are in the order of time; those
 * of different threads nearly so, since a call's first line waits for its first child, its end or 40 ms.
 * `TIMESTAMP` and `CPU` are those of a call's begin, on closing lines those of its end.
 */
export function createTableSink(options: TableSinkOptions, shape: LineShape): OutputSink {
  const out = new ByteWriter(options.write)
  const columns = columnsOf(options, shape)
  const showsSelf = columns.includes('self')
  const table = new Table(out, {
    ...options,
    columns,
    separators: shape.separators,
  })
  const { row } = table
  const threads = new ThreadTable(
    () => new HeldOpening(),
    (opening) => !opening.isHeld && opening.childNs.length === 0,
  )

  function startCallLine(
    opening: HeldOpening,
    thread: TracedThread,
    fn: TracedFunction,
    timeNs: number,
    cpu: number,
  ): void {
    row.deltaNs = opening.lastLineNs === absent ? absent : Math.max(0, timeNs - opening.lastLineNs)
    opening.lastLineNs = timeNs
    row.fn = fn
    row.pid = thread.pid
    row.tid = thread.tid
    row.timeNs = timeNs
    row.cpu = cpu
    table.startLine()
  }

  function open(opening: HeldOpening): void {
    opening.isHeld = false
    row.durationNs = absent
    row.selfNs = absent
    startCallLine(opening, opening.thread!, opening.fn!, opening.beginNs, opening.beginCpu)
    shape.opening(out, opening.fn!, opening.depth)
    out.endLine()
  }

  /** No call that is held began before this. */
  let oldestHeldNs = Number.POSITIVE_INFINITY

  function openHeld(beganBy: number): void {
    const held = [...threads.all()].filter(({ isHeld }) => isHeld).sort((a, b) => a.beginNs - b.beginNs)
    for (const opening of held) if (opening.beginNs <= beganBy) open(opening)
    oldestHeldNs = held.find(({ isHeld }) => isHeld)?.beginNs ?? Number.POSITIVE_INFINITY
  }

  /** Lines must not depend on when events are seen, but on their times only: a replay shows what was shown live. */
  function openUntil(now: number): void {
    if (oldestHeldNs <= now - openingDelayNs) openHeld(now - openingDelayNs)
  }

  function remark(text: string, timeNs: TraceNs, thread: TracedThread | undefined, cpu: number): void {
    row.durationNs = absent
    row.selfNs = absent
    row.deltaNs = absent
    row.fn = undefined
    row.pid = thread?.pid ?? absent
    row.tid = thread?.tid ?? absent
    row.timeNs = timeNs
    row.cpu = cpu
    table.startLine()
    out.bytes(encode(`/* ${text} */`))
    out.endLine()
  }

  return {
    begin: (call) => {
      openUntil(call.beginNs)
      const opening = threads.of(call.thread)
      if (opening.isHeld) open(opening)
      opening.isHeld = true
      opening.fn = call.fn
      opening.thread = call.thread
      opening.depth = call.depth
      opening.beginNs = call.beginNs
      opening.beginCpu = call.beginCpu
      if (call.beginNs < oldestHeldNs) oldestHeldNs = call.beginNs
      if (showsSelf) opening.childNs.push(0)
    },
    end: (call) => {
      openUntil(call.endNs)
      const opening = threads.of(call.thread)
      const isLeaf = opening.isHeld
      opening.isHeld = false
      row.durationNs = durationNs(call)
      row.durationBound = boundOf(call.how)
      row.resolutionNs = resolutionOf(call)
      row.selfNs = showsSelf ? takeSelfNs(opening.childNs, row.durationNs) : absent
      if (isLeaf) {
        startCallLine(opening, call.thread, call.fn, call.beginNs, call.beginCpu)
        shape.leaf(out, call)
      } else {
        startCallLine(opening, call.thread, call.fn, call.endNs, call.endCpu)
        shape.closing(out, call)
      }
      out.endLine()
    },
    lost: (loss) => {
      // Any call that is open now may have lost its children: none may pass for a leaf.
      openHeld(Number.POSITIVE_INFINITY)
      remark(lossText(loss), loss.timeNs, undefined, loss.cpu)
    },
    note: (note: Note) => {
      const opening = note.thread && threads.of(note.thread)
      if (opening === undefined) openHeld(note.timeNs)
      else if (opening.isHeld) open(opening)
      remark(escapeText(note.text), note.timeNs, note.thread, absent)
    },
    tick: openUntil,
    flush: () => out.flush(),
    finish: () => {
      openHeld(Number.POSITIVE_INFINITY)
      out.flush()
    },
  }
}

/** Ends the innermost call: its duration without its children's, which counts for its caller in turn. */
function takeSelfNs(childNs: number[], durationOfCallNs: number): number {
  const inChildrenNs = childNs.pop() ?? 0
  if (childNs.length > 0) childNs[childNs.length - 1]! += durationOfCallNs
  return Math.max(0, durationOfCallNs - inChildrenNs)
}

function columnsOf(options: TableSinkOptions, shape: LineShape): readonly ColumnName[] {
  if (options.columns !== undefined) return options.columns
  const optional = (['cpu', 'tid', 'timestamp'] as const).filter((name) => options[name])
  return [...optional, ...shape.columns]
}

function lossText({ count, cpu }: Loss): string {
  return `${count} ${count === 1 ? 'event' : 'events'} lost on CPU ${cpu}`
}
