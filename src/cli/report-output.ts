import { isatty } from 'node:tty'
import { fileOutput, standardOutput, wantsColor } from './output.ts'
import { isPaged, runInPager, wantsPager } from './pager.ts'
import type { ColorChoice } from './report-options.ts'
import { terminalWidth } from './terminal-width.ts'

/** Where a report goes: to a file, or to standard output. */
export interface ReportOutput {
  readonly color: boolean
  /** The columns of the terminal, if it is one that shows the report. */
  readonly width: number | undefined
  /** Writes lines as they come, without keeping them. @throws UserError, ClosedPipeError */
  write(lines: Iterable<string>): void
}

const batchLength = 64 * 1024

/** @param path undefined: standard output */
export function openReportOutput(path: string | undefined, color: ColorChoice): ReportOutput {
  const output = path === undefined ? standardOutput() : fileOutput(path)
  const paged = path === undefined && isPaged()
  return {
    color: paged && color === 'auto' ? !process.env.NO_COLOR : wantsColor(color, output.fd),
    width: paged || isatty(output.fd) ? terminalWidth() : undefined,
    write: (lines) => {
      writeBatches(lines, (text) => output.write(Buffer.from(text)))
      output.close()
    },
  }
}

/**
 * Lets a pager show what the command prints, if it goes to a terminal; its lines are not wrapped.
 * @returns the exit status, or undefined where there is no need of a pager
 */
export function pageReport(path: string | undefined): number | undefined {
  if (path !== undefined || !wantsPager(1)) return undefined
  process.env.LESS ??= 'FRSX'
  return runInPager()
}

function writeBatches(lines: Iterable<string>, write: (text: string) => void): void {
  let batch = ''
  for (const line of lines) {
    batch += `${line}\n`
    if (batch.length < batchLength) continue
    write(batch)
    batch = ''
  }
  if (batch !== '') write(batch)
}
