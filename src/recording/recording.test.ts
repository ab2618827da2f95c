import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openBytes, recordEvents, someOrigin } from '../../test/support/memory-recording.ts'
import { type RawEvent, randomEvents, randomFunctions } from '../../test/support/random-events.ts'
import { UserError } from '../base/errors.ts'
import { eventKind } from '../base/event.ts'
import { asTraceNs } from '../base/units.ts'
import { fileOutput } from '../cli/output.ts'
import { createJsonLinesSink } from '../sink/jsonl.ts'
import type { TraceSink } from '../trace/call.ts'
import { withTimeRange } from '../trace/time-range.ts'
import { openRecording } from './open.ts'
import type { Recording } from './recording.ts'
import { RecordingFile } from './recording-file.ts'
import { EventReader, replayRecording } from './replay.ts'

const functions = randomFunctions(12)

/** All that a sink is told, as text. */
function textSink(): { sink: TraceSink; text(): string } {
  const pieces: Buffer[] = []
  const sink = createJsonLinesSink({
    write: (bytes) => pieces.push(Buffer.from(bytes)),
    clock: { baseNs: someOrigin.clockBaseNs },
  })
  return {
    sink,
    text: () => {
      sink.finish()
      return Buffer.concat(pieces).toString()
    },
  }
}

function record(events: readonly RawEvent[], chunkEvents: number) {
  const live = textSink()
  return { ...recordEvents(functions, events, live.sink, chunkEvents), live: live.text() }
}

function rawEvents(recording: Recording): string[] {
  const lines: string[] = []
  const reader = new EventReader(recording, () => {})
  for (const chunk of recording.chunks) {
    if (!reader.read(chunk, { event: (...event) => lines.push(event.join(' ')) })) break
  }
  return lines
}

/** Across threads, what ends with the trace ends in any order. */
function byThread(text: string): Map<string, string[]> {
  const threads = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const thread = /"tid":\d+/.exec(line)?.[0] ?? ''
    threads.set(thread, [...(threads.get(thread) ?? []), line])
  }
  return threads
}

describe('a recording', () => {
  it('replays what was live, with notes, losses, forks and ends of threads', () => {
    fc.assert(
      fc.property(randomEvents(functions), fc.integer({ min: 1, max: 80 }), (events, chunkEvents) => {
        const { bytes, live, statistics, endNs } = record(events, chunkEvents)
        const recording = openBytes(bytes)
        const replayed = textSink()
        const result = replayRecording(recording, replayed.sink)
        expect(replayed.text()).toBe(live)
        expect(result).toEqual({ statistics, endNs, warnings: [] })
        expect(recording.warnings).toEqual([])
        expect(recording.origin).toEqual(someOrigin)
        expect(recording.eventCount).toBe(events.length)
      }),
    )
  })

  it('holds the functions that were called, processes and threads', () => {
    const events = [0, 5, 7].map((functionId, index) => ({
      time: 10 * index,
      stack: 4096,
      tid: 100 + index,
      kind: eventKind.entry,
      functionId,
      cpu: 0,
    }))
    const recording = openBytes(record(events, 2).bytes)
    expect(recording.functions.map(({ fn }) => [fn.id, fn.symbol])).toEqual([
      [0, 'f0'],
      [1, 'f5'],
      [2, 'f7'],
    ])
    expect(recording.threads).toEqual([
      { tid: 100, pid: 7, name: 'thread-100' },
      { tid: 101, pid: 8, name: 'thread-101' },
      { tid: 102, pid: 7, name: 'thread-102' },
    ])
    expect(recording.processes).toEqual([
      { pid: 7, name: 'process-7' },
      { pid: 8, name: 'process-8' },
    ])
    expect(recording.modules).toEqual([{ name: 'm0', path: '/m0', isExecutable: true, buildId: 'abc' }])
    expect([recording.firstNs, recording.lastNs]).toEqual([0, 20])
  })

  it('replays a range of time as a filter of the whole would show it', () => {
    const range = fc.tuple(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 100 }))
    // Where exits become probed while calls are hooked, a state says so of all calls.
    const known = randomEvents(functions).map((events) =>
      events.filter(({ kind }) => kind !== eventKind.exitsProbed && kind !== eventKind.fork),
    )
    fc.assert(
      fc.property(known, fc.integer({ min: 1, max: 30 }), range, (events, chunkEvents, percents) => {
        const recording = openBytes(record(events, chunkEvents).bytes)
        const span = recording.lastNs - recording.firstNs
        const [from, to] = percents
          .sort((a, b) => a - b)
          .map((percent) => asTraceNs(recording.firstNs + Math.round((span * percent) / 100)))
        const expected = textSink()
        const filter = withTimeRange(expected.sink, { from: from!, to: to! })
        replayRecording(recording, filter)
        filter.finish()
        const actual = textSink()
        replayRecording(recording, actual.sink, { from: from!, to: to! })
        expect(byThread(actual.text())).toEqual(byThread(expected.text()))
      }),
    )
  })
})

describe('a recording that is not as it was written', () => {
  const events = fc.sample(randomEvents(functions, 150), { numRuns: 1, seed: 4 })[0]!.slice(0, 60)
  const { bytes, live, statistics } = record(events, 15)
  const whole = rawEvents(openBytes(bytes))

  /** @returns whether anything could be read */
  function checkHonest(damaged: Uint8Array, what: string): boolean {
    let recording: Recording
    try {
      recording = openBytes(damaged)
    } catch (error) {
      expect(error, what).toBeInstanceOf(UserError)
      return false
    }
    const replayed = textSink()
    const result = replayRecording(recording, replayed.sink)
    const read = rawEvents(recording)
    if (recording.warnings.length + result.warnings.length > 0) {
      expect(read, what).toEqual(whole.slice(0, read.length))
    } else {
      // What serves only to begin in the middle is not looked at.
      expect(replayed.text(), what).toBe(live)
      expect(result.statistics, what).toEqual(statistics)
    }
    return true
  }

  it('is read up to a cut at any byte, and says so', () => {
    let readable = 0
    for (let length = 0; length < bytes.length; length++) {
      if (checkHonest(bytes.subarray(0, length), `cut at ${length}`)) readable++
    }
    expect(readable).toBeGreaterThan(bytes.length / 2)
  })

  it('is read up to any changed byte, and says so', () => {
    for (let index = 0; index < bytes.length; index++) {
      const damaged = Buffer.from(bytes)
      for (const change of [1 << (index % 8), 0xff]) {
        damaged[index] = bytes[index]! ^ change
        checkHonest(damaged, `byte ${index} changed to ${damaged[index]}`)
      }
    }
  })

  it('is refused when it is something else, or too new', () => {
    expect(() => openBytes(Buffer.from('#!/bin/sh\n'))).toThrow('is not a recording of utrace')
    expect(() => openBytes(new Uint8Array(0))).toThrow('is not a recording of utrace')
    expect(() => openRecording('/nonexistent/utrace.data')).toThrow('there is no such file')
    expect(() => openRecording('/dev/null')).toThrow('not a plain file')
  })
})

describe('a recording of limited size', () => {
  function inFolder(run: (path: string) => void): void {
    const folder = mkdtempSync(join(tmpdir(), 'utrace-recording-'))
    try {
      run(join(folder, 'utrace.data'))
    } finally {
      rmSync(folder, { recursive: true })
    }
  }

  /** main() calls leaf() over and over: four bytes a call. */
  function manyCalls(count: number): RawEvent[] {
    const at = (index: number, kind: RawEvent['kind'], functionId: number, stack: number): RawEvent => ({
      time: 1000 + index * 700,
      stack,
      tid: 100,
      kind,
      functionId,
      cpu: 0,
    })
    const calls = Array.from({ length: count }, (_, call) => [
      at(2 * call + 1, eventKind.entry, 4, 8000),
      at(2 * call + 2, eventKind.ret, 4, 8000),
    ])
    return [at(0, eventKind.entry, 8, 9000), ...calls.flat()]
  }

  const leafFunctions = functions.map((record) => ({
    ...record,
    entryDisplacement: 0,
    wayOut: 'ret' as const,
  }))
  const limit = 64 * 1024

  it('keeps the newest, with the calls that were open before', () => {
    inFolder((path) => {
      const events = manyCalls(60_000)
      const file = new RecordingFile(path, fileOutput, { kind: 'ring', bytes: limit })
      const { endNs } = recordEvents(leafFunctions, events, textSink().sink, 1000, file)
      const recording = openRecording(path)
      expect(recording.sizeBytes).toBeLessThan(limit * 1.3)
      expect(recording.sizeBytes).toBeGreaterThan(limit / 3)
      expect(recording.warnings).toEqual([expect.stringContaining('the newest part of a longer trace')])
      expect(rawEvents(recording).at(-1)).toMatch(new RegExp(`^${events.at(-1)!.time} `))
      const replayed = textSink()
      const result = replayRecording(recording, replayed.sink)
      const lines = replayed.text().split('\n')
      expect(lines.find((line) => line.includes('begin'))).toContain('"symbol":"f8"')
      expect(lines.filter((line) => line.includes('"depth":1')).length).toBeGreaterThan(4000)
      expect(result.endNs).toBe(endNs)
      expect(result.statistics.openCalls).toBe(1)
      recording.close()
    })
  })

  it('stops at its limit, and says so', () => {
    inFolder((path) => {
      const file = new RecordingFile(path, fileOutput, { kind: 'stop', bytes: limit })
      const { recorder } = recordEvents(leafFunctions, manyCalls(60_000), textSink().sink, 1000, file)
      expect(recorder.stopped).toContain('size limit')
      const recording = openRecording(path)
      expect(recording.sizeBytes).toBeLessThanOrEqual(limit)
      expect(recording.warnings).toEqual([expect.stringContaining('recording stopped early')])
      expect(recording.eventCount).toBeGreaterThan(15_000)
      // What came later is not known: main() was still open when the last event was recorded, and not when tracing ended.
      expect(replayRecording(recording, textSink().sink).endNs).toBe(recording.lastNs)
      recording.close()
    })
  })

  it('ends with its last whole chunk when the disk is full', () => {
    inFolder((path) => {
      let room = 20_000
      const create = (at: string) => {
        const output = fileOutput(at)
        const write = (bytes: Uint8Array, position?: number) => {
          // Taking a part of a chunk back makes room for the last one.
          const fits = position === undefined ? bytes.subarray(0, room) : bytes
          output.write(fits, position)
          room -= fits.length
          if (fits.length < bytes.length) throw new UserError('no space left on the device')
        }
        return { ...output, write }
      }
      const file = new RecordingFile(path, create, undefined)
      const { recorder } = recordEvents(leafFunctions, manyCalls(60_000), textSink().sink, 1000, file)
      expect(recorder.stopped).toBe('no space left on the device')
      const recording = openRecording(path)
      expect(recording.warnings).toEqual(['recording stopped early: no space left on the device'])
      expect(recording.eventCount).toBe(recording.chunks.length * 1000)
      expect(recording.eventCount).toBeGreaterThan(5000)
      recording.close()
    })
  })

  it('is found out to be cut when a writer was killed', () => {
    inFolder((path) => {
      const { bytes } = record(manyCalls(2000), 500)
      writeFileSync(path, bytes.subarray(0, bytes.length - 200))
      const recording = openRecording(path)
      expect(recording.end).toBeUndefined()
      expect(recording.warnings).toEqual([expect.stringContaining('utrace was killed')])
      recording.close()
    })
  })
})
