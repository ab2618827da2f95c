import { isatty } from 'node:tty'
import type { GivenOptions } from './given-options.ts'
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

/** The options of `textOutputOptions`. */
type GivenOutput<Other extends string> = GivenOptions<'output' | 'color' | 'no-pager' | Other>

/** Opens what the options ask for: a file, or standard output. @throws UserError */
export function openReportOutput<Other extends string>(given: GivenOutput<Other>): ReportOutput {
  const path = given.value('output')
  const color = (given.value('color') ?? 'auto') as ColorChoice
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
export function pageReport<Other extends string>(given: GivenOutput<Other>): number | undefined {
  if (given.has('no-pager') || given.value('output') !== undefined || !wantsPager(1)) return undefined
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
