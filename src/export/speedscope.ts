import { escapeText } from '../base/escape.ts'
import { jsonString } from '../base/json-string.ts'
import { ByteWriter, encode } from '../sink/byte-writer.ts'
import type { Call, TracedFunction, TracedThread } from '../trace/call.ts'
import { EventLog } from './event-log.ts'
import type { ExportSink, ExportTarget } from './export-sink.ts'
import { Remarks } from './remarks.ts'
import { ThreadStates } from './thread-states.ts'
import { processLabel, threadLabel } from './trace-facts.ts'

const head = encode(
  '{"$schema":"https://www.speedscope.app/file-format-schema.json","exporter":"utrace","profiles":[\n',
)
const profileHead = encode('{"type":"evented","unit":"nanoseconds","events":[\n')
const open = encode('{"type":"O","frame":')
const close = encode('{"type":"C","frame":')
const at = encode(',"at":')
const tail = encode('}')
const comma = 0x2c

/** One thread's profile: its events, written at once or kept until its turn. */
interface Profile {
  readonly thread: TracedThread
  readonly log: EventLog | undefined
  startNs: number | undefined
  endNs: number
  cut: number
}

/**
 * speedscope's file format: an evented profile per thread, times in nanoseconds since trace time 0. The file
 * holds one profile after the other: the first thread's events are written as they come, those of the others
 * are kept in memory (about five bytes an event) until the end. What the format has no place for stands in
 * the names: losses in that of the file, calls that were cut in that of their thread's profile.
 * Source: https://github.com/jlfwong/speedscope/blob/main/src/lib/file-format-spec.ts
 */
export function createSpeedscopeExport({ write, facts }: ExportTarget): ExportSink {
  const out = new ByteWriter(write)
  const frames: TracedFunction[] = []
  const frameOfFunction: number[] = []
  const remarks = new Remarks()
  let first: Profile | undefined
  let isFirstEvent = true
  const profiles = new ThreadStates<Profile>((thread) => {
    const log = first === undefined ? undefined : new EventLog()
    const profile = { thread, log, startNs: undefined, endNs: 0, cut: 0 }
    first ??= profile
    return profile
  })

  out.bytes(head)

  function frameOf(fn: TracedFunction): number {
    const known = frameOfFunction[fn.id]
    if (known !== undefined) return known
    frameOfFunction[fn.id] = frames.length
    return frames.push(fn) - 1
  }

  function event({ fn, thread }: Call, isOpen: boolean, timeNs: number): void {
    const profile = profiles.of(thread)
    if (profile.startNs === undefined) {
      profile.startNs = timeNs
      if (profile === first) out.bytes(profileHead)
    }
    profile.endNs = timeNs
    if (profile.log === undefined) writeEvent(isOpen, frameOf(fn), timeNs)
    else profile.log.add(isOpen, frameOf(fn), timeNs)
  }

  function writeEvent(isOpen: boolean, frame: number, timeNs: number): void {
    if (!isFirstEvent) {
      out.byte(comma)
      out.endLine()
    }
    isFirstEvent = false
    out.bytes(isOpen ? open : close)
    out.integer(frame)
    out.bytes(at)
    out.integer(timeNs)
    out.bytes(tail)
  }

  function finishProfile({ thread, startNs, endNs, cut }: Profile): void {
    const cutText = cut === 0 ? '' : `, ${cut} calls cut`
    const name = `${processLabel(facts, thread.pid)}, ${threadLabel(facts, thread)}${cutText}`
    out.bytes(encode(`\n],"startValue":${startNs},"endValue":${endNs},"name":${jsonString(name)}}`))
  }

  return {
    begin: (call) => event(call, true, call.beginNs),
    end: (call) => {
      remarks.ended(call)
      event(call, false, call.endNs)
      if (call.how === 'cut') profiles.of(call.thread).cut += 1
    },
    lost: (loss) => remarks.lost(loss),
    note: (note) => remarks.note(note),
    finish: () => {
      for (const profile of profiles.all()) {
        if (profile.log !== undefined) {
          out.byte(comma)
          out.endLine()
          out.bytes(profileHead)
          isFirstEvent = true
          profile.log.forEach(writeEvent)
        }
        finishProfile(profile)
      }
      const name = [facts.title, ...remarks.lines()].join(' | ')
      out.bytes(encode(`\n],"name":${jsonString(escapeText(name))},"shared":{"frames":[\n`))
      for (const [index, { name, module }] of frames.entries()) {
        if (index > 0) {
          out.byte(comma)
          out.endLine()
        }
        out.bytes(encode(`{"name":${jsonString(name)},"file":${jsonString(module)}}`))
      }
      out.bytes(encode('\n]}}\n'))
      out.flush()
    },
  }
}
