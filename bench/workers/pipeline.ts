import type { EventConsumer } from '../../src/base/event.ts'
import { asPid, asTraceNs } from '../../src/base/units.ts'
import { EventRing } from '../../src/bpf/event-ring.ts'
import { EventMerger } from '../../src/bpf/merge.ts'
import { createFlatSink } from '../../src/sink/flat.ts'
import { createGraphSink } from '../../src/sink/graph.ts'
import { createJsonLinesSink } from '../../src/sink/jsonl.ts'
import type { TraceSink } from '../../src/trace/call.ts'
import type { FunctionRecord } from '../../src/trace/functions.ts'
import { Reconstruction } from '../../src/trace/reconstruct.ts'
import { makeRingImage } from './ring-image.ts'
import { answer } from './worker.ts'

export type PipelineStage = 'decode' | 'reconstruct' | 'graph' | 'flat' | 'jsonl'

export interface PipelineResult {
  readonly events: number
  /** Of processor time. */
  readonly seconds: number
  /** 0 for stages that print nothing. */
  readonly lines: number
  readonly bytes: number
}

const ringRecords = 1 << 19
const functionCount = 200
const maxDepth = 12

/** Drives a full ring through the pipeline up to a stage, again and again, for a number of seconds. */
function runStage(stage: PipelineStage, seconds: number): PipelineResult {
  const image = makeRingImage(ringRecords, functionCount, maxDepth)
  const merger = new EventMerger([{ cpu: 0, ring: new EventRing(image.memory) }], 0n)
  const output = new Output()
  const consumer = consumerOf(stage, output)
  const later = 1_000_000_000_000n
  /** @returns the processor time that it took to read the ring, in seconds */
  const pass = () => {
    image.refill()
    const begin = process.cpuUsage()
    if (merger.drain(later, consumer) !== ringRecords) throw new Error('events were left in the ring')
    const { user, system } = process.cpuUsage(begin)
    return (user + system) / 1e6
  }
  // The first passes are the compiler's.
  for (let warm = 0; warm < 8; warm++) pass()
  output.countLines = true
  pass()
  const linesPerPass = output.lines
  output.countLines = false
  output.bytes = 0
  let spent = 0
  let passes = 0
  for (; spent < seconds; passes++) spent += pass()
  return {
    events: passes * ringRecords,
    seconds: spent,
    lines: passes * linesPerPass,
    bytes: output.bytes,
  }
}

/** Takes text and forgets it. */
class Output {
  countLines = false
  lines = 0
  bytes = 0
  readonly write = (chunk: Uint8Array) => {
    this.bytes += chunk.length
    if (this.countLines) for (const byte of chunk) if (byte === 0x0a) this.lines++
  }
}

function consumerOf(stage: PipelineStage, output: Output): EventConsumer {
  if (stage === 'decode') return new LastEvent()
  return new Reconstruction(functionTable(), sinkOf(stage, output), () => asPid(4242))
}

/** Looks at every field, so that the decoding can't be optimised away. */
class LastEvent implements EventConsumer {
  sum = 0
  event(...[time, stack, tid, kind, functionId, cpu]: Parameters<EventConsumer['event']>): void {
    this.sum += time + stack + tid + kind + functionId + cpu
  }
}

function sinkOf(stage: PipelineStage, { write }: Output): TraceSink {
  const clock = { baseNs: 86_400_000_000_000n }
  const table = { write, clock, cpu: false, tid: false, timestamp: false, libname: false, color: false }
  switch (stage) {
    case 'graph':
      return createGraphSink(table)
    case 'flat':
      return createFlatSink(table)
    case 'jsonl':
      return createJsonLinesSink({ write, clock })
    default:
      return new LastCall()
  }
}

class LastCall implements TraceSink {
  sum: number = asTraceNs(0)
  begin(call: Parameters<TraceSink['begin']>[0]): void {
    this.sum += call.depth
  }
  end(call: Parameters<TraceSink['end']>[0]): void {
    this.sum += call.endNs - call.beginNs
  }
  lost(): void {}
  note(): void {}
}

function functionTable(): FunctionRecord[] {
  return Array.from({ length: functionCount }, (_, id) => {
    const name = `function_number_${id}`
    return {
      fn: { id, name, symbol: name, module: 'program', kind: 'function' },
      entryDisplacement: 0,
      entryProbe: 'emulated',
      wayOut: 'return',
      mayTailCall: true,
    }
  })
}

const [stage, seconds] = process.argv.slice(2)
answer(runStage(stage as PipelineStage, Number(seconds)))
