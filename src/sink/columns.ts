import { type SplitBase, splitBase, type TraceClock } from '../trace/clock.ts'
import type { ByteWriter } from './byte-writer.ts'
import { durationWidth, writeDuration, writeTimestamp } from './time-text.ts'

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
}

export type ColumnName = 'cpu' | 'pid' | 'tid' | 'timestamp' | 'duration'

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

/** The one table of columns behind every output that has columns, in their order on the line. */
export function allColumns(clock: TraceClock, color: boolean): Readonly<Record<ColumnName, Column>> {
  const base = splitBase(clock)
  return {
    cpu: integerColumn('CPU', 3, (row) => row.cpu),
    pid: integerColumn('PID', idWidth, (row) => row.pid),
    tid: integerColumn('TID', idWidth, (row) => row.tid),
    timestamp: timestampColumn(base),
    duration: durationColumn(color),
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

function durationColumn(color: boolean): Column {
  const width = '>'.length + durationWidth
  return {
    title: 'DURATION',
    width,
    write: (out, row) => {
      if (row.durationNs === absent) out.spaces(width)
      else writeDuration(out, row.durationNs, row.durationBound, 'column', color)
    },
  }
}
