import { memorySource } from '../../src/base/byte-source.ts'
import { asTraceNs } from '../../src/base/units.ts'
import { openRecordingSource } from '../../src/recording/open.ts'
import { Recorder } from '../../src/recording/recorder.ts'
import type { RecordingOrigin } from '../../src/recording/recording.ts'
import { RecordingFile, type WritableFile } from '../../src/recording/recording-file.ts'
import type { TraceSink } from '../../src/trace/call.ts'
import type { FunctionRecord } from '../../src/trace/functions.ts'
import { Reconstruction } from '../../src/trace/reconstruct.ts'
import { feed, type RawEvent } from './random-events.ts'

export const someOrigin: RecordingOrigin = {
  utraceVersion: '1.2.3',
  commandLine: ['record', '-c', 'prog'],
  target: { kind: 'command', words: ['prog'] },
  host: 'host',
  kernel: '6.18',
  cpuModel: 'cpu',
  cpus: 2,
  clockBaseNs: 123_456_789_012_345n,
  realtimeBaseNs: 1_700_000_000_000_000_000n,
  probeCosts: {
    entry: {
      emulated: { beforeNs: 40, afterNs: 9 },
      stepped: { beforeNs: 40, afterNs: 150 },
      nop: { beforeNs: 6, afterNs: 7 },
    },
    libraryCallNs: 3,
    return: { beforeNs: 8, afterNs: 5 },
    ret: { beforeNs: 41, afterNs: 149 },
    jump: { beforeNs: 42, afterNs: 8 },
  },
  settings: { functions: ['*'] },
}

const someNames = {
  thread: (_pid: number, tid: number) => `thread-${tid}`,
  process: (pid: number) => `process-${pid}`,
}

/**
 * Records events, and rebuilds their calls live at the same time.
 * @param chunkEvents a chunk ends, with a note, after each so many events
 * @param file where to; by default memory
 */
export function recordEvents(
  functions: readonly FunctionRecord[],
  events: readonly RawEvent[],
  liveSink: TraceSink,
  chunkEvents: number,
  file?: RecordingFile,
) {
  const pieces: Uint8Array[] = []
  const create = (): WritableFile => ({
    fd: -1,
    write: (bytes) => {
      pieces.push(bytes.slice())
    },
    close: () => {},
  })
  const pidOf = (tid: number) => 7 + (tid % 2)
  const engine = new Reconstruction(functions, liveSink, pidOf, { probeCosts: someOrigin.probeCosts })
  const recorder = new Recorder(
    {
      file: file ?? new RecordingFile('unused', create, undefined),
      origin: someOrigin,
      taskNames: someNames,
      onStop: () => {},
    },
    { functions, pidOf, describeState: (consumer) => engine.describeState(consumer) },
  )
  recorder.modules([{ name: 'm0', path: '/m0', isExecutable: true, buildId: 'abc' }])
  for (let start = 0; start < events.length; start += chunkEvents) {
    feed(events.slice(start, start + chunkEvents), recorder, engine)
    const timeNs = asTraceNs(events[Math.min(events.length, start + chunkEvents) - 1]!.time)
    recorder.note({ timeNs, text: 'a note' })
    liveSink.note({ timeNs, text: 'a note' })
  }
  const endNs = asTraceNs((events.at(-1)?.time ?? 0) + 10)
  engine.finish(endNs)
  const { statistics } = engine
  recorder.finish({ endNs, statistics, functionsTraced: functions.length, untraced: [] })
  return { bytes: Buffer.concat(pieces), statistics, endNs, recorder }
}

export const openBytes = (bytes: Uint8Array) => openRecordingSource(memorySource(bytes), 'test.data')
