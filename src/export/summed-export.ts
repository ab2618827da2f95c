import type { Call } from '../trace/call.ts'
import type { ExportSink } from './export-sink.ts'
import { Remarks } from './remarks.ts'

/** What calls are summed up in. */
export interface CallSums {
  begin(call: Call): void
  end(call: Call): void
}

/**
 * An export that shows no single call: nothing is written before all of them are summed up.
 * @param finish writes the file
 */
export function createSummedExport(sums: CallSums, finish: (remarks: readonly string[]) => void): ExportSink {
  const remarks = new Remarks()
  return {
    begin: (call) => sums.begin(call),
    end: (call) => {
      sums.end(call)
      remarks.ended(call)
    },
    lost: (loss) => remarks.lost(loss),
    note: (note) => remarks.note(note),
    finish: () => finish(remarks.lines()),
  }
}
