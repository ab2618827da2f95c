import { fileOutput, printText, wantsColor } from './output.ts'
import type { ColorChoice } from './report-options.ts'

/** Where a report goes: to a file, or to standard output. */
export interface ReportOutput {
  readonly color: boolean
  /** Writes lines as they come, without keeping them. @throws UserError, ClosedPipeError */
  write(lines: Iterable<string>): void
}

const batchLength = 64 * 1024

/** @param path undefined: standard output */
export function openReportOutput(path: string | undefined, color: ColorChoice): ReportOutput {
  if (path === undefined) {
    return { color: wantsColor(color, 1), write: (lines) => writeBatches(lines, printText) }
  }
  const file = fileOutput(path)
  return {
    color: wantsColor(color, file.fd),
    write: (lines) => {
      writeBatches(lines, (text) => file.write(Buffer.from(text)))
      file.close()
    },
  }
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
