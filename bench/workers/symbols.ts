import { demangle } from '../../src/elf/demangle.ts'
import { fileSource } from '../../src/elf/file-source.ts'
import { readFunctions } from '../../src/elf/functions.ts'
import { parseElf } from '../../src/elf/image.ts'
import { readUnwindTable } from '../../src/elf/unwind-table.ts'
import { answer, timed } from './worker.ts'

export interface SymbolsResult {
  readonly functions: number
  readonly symbolsMs: number
  readonly demangleMs: number
  readonly unwindMs: number
}

/** Reads what a trace by name needs of one file. */
async function readSymbols(path: string): Promise<SymbolsResult> {
  const source = fileSource(path)
  try {
    const image = parseElf(source, path)
    const functions = await timed(() => readFunctions(image))
    const demangled = await timed(() => functions.result.map(({ symbol }) => demangle(symbol)))
    const unwind = await timed(() => readUnwindTable(image))
    return {
      functions: functions.result.length,
      symbolsMs: functions.ms,
      demangleMs: demangled.ms,
      unwindMs: unwind.ms,
    }
  } finally {
    source.close()
  }
}

answer(await readSymbols(process.argv[2]!))
