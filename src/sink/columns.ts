import { escapeText } from '../base/escape.ts'
import type { TracedFunction } from '../trace/call.ts'
import { type SplitBase, splitBase, type TraceClock } from '../trace/clock.ts'
import { type ByteWriter, encode } from './byte-writer.ts'
import { perFunction } from './function-text.ts'
import { durationWidth, writeBelowResolution, writeDuration, writeTimestamp } from './time-text.ts'

/** The value of a field that a row does not have: its cell is blank. */
export const absent = -1

/** Whether a duration is what was measured. */
export const bound = {
  exact: 0x20,
  /** `<`: the call was over at the latest by then. */
  atMost: 0x3c,
  /** `>`: the call was still running then. */
  atLeast: 0x3e,
} as const

export type Bound = (typeof bound)[keyof typeof bound]

/** What a line of a table says beside its text. One object is filled anew for every line. */
export interface Row {
  cpu: number
  pid: number
  tid: number
  /** Trace time. */
  timeNs: number
  durationNs: number
  durationBound: Bound
  /** Durations below this are not known, but for that. */
  resolutionNs: number
  /** The part of the duration that was not spent in calls that are shown. */
  selfNs: number
  /** Since the line before of the same thread. */
  deltaNs: number
  /** Of a line that is about a call. */
  fn: TracedFunction | undefined
}

/** Those that can be asked for by name, in the order in which `--help` tells them. */
export const columnNames = [
  'duration',
  'self',
  'pid',
  'tid',
  'cpu',
  'timestamp',
  'delta',
  'elapsed',
  'module',
  'address',
] as const

export type ColumnName = (typeof columnNames)[number]

export interface Column {
  readonly title: string
  /** Characters; a value that needs more gets more. */
  readonly width: number
  write(out: ByteWriter, row: Row): void
}

/** Digits of the largest thread id that Linux gives (`PID_MAX_LIMIT`, 4,194,304). */
const idWidth = 7
/** Ten million seconds, 115 days of uptime, stay aligned. */
const secondsWidth = 7
const moduleWidth = 16
/** `0x` and as many digits as a program that is not small needs. */
const addressWidth = 10

/** The one table of columns behind every output that has columns. */
export function allColumns(clock: TraceClock, color: boolean): Readonly<Record<ColumnName, Column>> {
  const base = splitBase(clock)
  return {
    cpu: integerColumn('CPU', 3, (row) => row.cpu),
    pid: integerColumn('PID', idWidth, (row) => row.pid),
    tid: integerColumn('TID', idWidth, (row) => row.tid),
    timestamp: timestampColumn(base),
    duration: durationColumn('DURATION', color, (row) => row.durationNs, true),
    self: durationColumn('SELF', color, (row) => row.selfNs, true),
    delta: durationColumn('DELTA', color, (row) => row.deltaNs, false),
    elapsed: elapsedColumn(),
    module: textColumn('MODULE', moduleWidth, (fn) => escapeText(fn.module)),
    address: textColumn('ADDRESS', addressWidth, ({ address }) =>
      address === undefined ? '' : `0x${address.toString(16)}`,
    ),
  }
}

function textColumn(title: string, width: number, textOf: (fn: TracedFunction) => string): Column {
  const padded = perFunction((fn) => encode(textOf(fn).padStart(width)))
  return {
    title,
    width,
    write: (out, { fn }) => {
      if (fn === undefined) out.spaces(width)
      else out.bytes(padded(fn))
    },
  }
}

/** Time since the first line. */
function elapsedColumn(): Column {
  let first: number | undefined
  return {
    title: 'ELAPSED',
    width: '>'.length + durationWidth,
    write: (out, { timeNs }) => {
      first ??= timeNs
      writeDuration(out, Math.max(0, timeNs - first), bound.exact, 'column', false)
    },
  }
}

function integerColumn(title: string, width: number, fieldOf: (row: Row) => number): Column {
  return {
    title,
    width,
    write: (out, row) => {
      const value = fieldOf(row)
      if (value < 0) out.spaces(width)
      else out.integerRight(value, width)
    },
  }
}

function timestampColumn(base: SplitBase): Column {
  return {
    title: 'TIMESTAMP',
    width: secondsWidth + '.123456789'.length,
    write: (out, row) => writeTimestamp(out, base, row.timeNs, secondsWidth),
  }
}

function durationColumn(
  title: string,
  color: boolean,
  valueIn: (row: Row) => number,
  isBounded: boolean,
): Column {
  const width = '>'.length + durationWidth
  return {
    title,
    width,
    write: (out, row) => {
      const ns = valueIn(row)
      if (ns === absent) out.spaces(width)
      else if (isBounded && ns < row.resolutionNs) writeBelowResolution(out, 'column')
      else writeDuration(out, ns, isBounded ? row.durationBound : bound.exact, 'column', color)
    },
  }
}
