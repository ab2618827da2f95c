import { escapeText } from '../../base/escape.ts'
import { type EventConsumer, eventKind } from '../../base/event.ts'
import type { ChunkHeader } from '../../recording/format.ts'
import { namesFunction } from '../../recording/recorder.ts'
import type { Recording, StoredPayload } from '../../recording/recording.ts'
import { EventReader } from '../../recording/replay.ts'
import { ByteWriter, encode } from '../../sink/byte-writer.ts'
import { withInput } from '../analysis.ts'
import { analysisOptions, readAnalysisOptions } from '../analysis-options.ts'
import type { OptionDefinition } from '../option-table.ts'
import { printLine, withOutput } from '../output.ts'
import { outputOption } from '../report-options.ts'
import { helpOptions, readCommandWords, refuseOperandsBeyond } from '../subcommand.ts'

const options = [
  ...analysisOptions.filter(({ name }) => name === 'input'),
  outputOption,
  ...helpOptions,
] as const satisfies readonly OptionDefinition[]

export const description = {
  synopsis: ['dump [-i FILE] [-o FILE]'],
  summary: 'Prints the raw events of a recording, as the kernel reported them, one line each: for debugging.',
  examples: [{ purpose: 'the first events', run: 'utrace dump | head' }],
  options,
  notes: [
    'Columns: nanoseconds since the start, CPU, thread, kind, stack pointer (or the number that the kind has in its place), function.',
  ],
}

const kindNames = new Map<number, string>(Object.entries(eventKind).map(([name, kind]) => [kind, name]))

/** `utrace dump`. */
export async function run(words: readonly string[]): Promise<number> {
  const read = readCommandWords(description, words)
  if (read === undefined) return 0
  refuseOperandsBeyond(read.operands, 0)
  return withInput(readAnalysisOptions(read.given), (recording) =>
    withOutput(read.given.value('output'), (output) => {
      const out = new ByteWriter((bytes) => output.write(bytes))
      const isWhole = dump(recording, out)
      out.flush()
      if (!isWhole) printLine(`utrace: ${escapeText(recording.path)}: it is damaged from there on`)
      return isWhole ? 0 : 1
    }),
  )
}

function dump(recording: Recording, out: ByteWriter): boolean {
  const names = recording.functions.map(({ fn }) => encode(escapeText(fn.name)))
  const line = (text: string) => {
    out.bytes(encode(text))
    out.endLine()
  }
  const event: EventConsumer['event'] = (time, stack, tid, kind, functionId, cpu) => {
    out.integer(time)
    out.bytes(encode(` ${cpu} ${tid} ${kindNames.get(kind) ?? kind} 0x${stack.toString(16)} ${functionId} `))
    if (namesFunction(kind)) out.bytes(names[functionId] ?? encode('?'))
    out.endLine()
  }
  const reader = new EventReader(recording, (tid, pid) => line(`# thread ${tid} of process ${pid}`))
  const part = (what: string, chunk: StoredPayload) => {
    line(`# ${what} at byte ${chunk.offset}: ${describe(chunk.header)}`)
    return reader.read(chunk, { event })
  }
  for (const chunk of recording.chunks) {
    for (const { timeNs, text } of chunk.notes) line(`# note at ${timeNs}: ${escapeText(text)}`)
    for (const state of chunk.state ?? []) if (!part('calls open before', state)) return false
    if (!part('events', chunk)) return false
  }
  return true
}

function describe({ eventCount, payloadBytes, sequence }: ChunkHeader): string {
  return `chunk ${sequence}, ${eventCount} events, ${payloadBytes} bytes`
}
