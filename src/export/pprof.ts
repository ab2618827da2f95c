import { gzipSync } from 'node:zlib'
import { escapeText } from '../base/escape.ts'
import { perFunction } from '../sink/function-text.ts'
import type { TracedFunction, TracedThread } from '../trace/call.ts'
import { CallTree, type CallTreeNode } from './call-tree.ts'
import type { ExportSink, ExportTarget } from './export-sink.ts'
import * as field from './pprof-fields.ts'
import { ProtobufMessage } from './protobuf.ts'
import { forEachStack } from './stack-paths.ts'
import { createSummedExport } from './summed-export.ts'

/** Uncompressed bytes of one gzip member; a file of several is one stream to every reader (RFC 1952, 2.2). */
const memberBytes = 1024 * 1024

/**
 * A pprof profile (`perftools.profiles.Profile`, gzip): a sample per distinct stack of each thread with its
 * calls and its own wall-clock time in nanoseconds, which is the default. Samples carry the labels `process`,
 * `thread` (names, where known), `pid` and `tid`; mappings are the modules; what is not exact is said in
 * comments (`pprof -comments`). Memory grows with the number of distinct stacks.
 * Source: https://github.com/google/pprof/blob/main/proto/profile.proto
 */
export function createPprofExport({ write, facts }: ExportTarget): ExportSink {
  const tree = new CallTree({ mergeThreads: false, samplePeriodNs: undefined })
  const span = { beginNs: Number.POSITIVE_INFINITY, endNs: 0 }
  const profile = new ProtobufMessage()
  const strings = new Map<string, number>()
  const mappings = new Map<string, number>()
  const locations: TracedFunction[] = []
  const locationOf = perFunction((fn) => locations.push(fn))

  function stringIndex(text: string): number {
    const known = strings.get(text)
    if (known !== undefined) return known
    strings.set(text, strings.size)
    return strings.size - 1
  }

  function valueType(type: string, unit: string): ProtobufMessage {
    return new ProtobufMessage()
      .integer(field.valueType.type, stringIndex(type))
      .integer(field.valueType.unit, stringIndex(unit))
  }

  function labelsOf({ pid, tid }: TracedThread): readonly ProtobufMessage[] {
    const texts = { process: facts.processName(pid), thread: facts.threadName({ pid, tid }) }
    const named = Object.entries(texts).flatMap(([key, text]) => (text === undefined ? [] : [{ key, text }]))
    return [
      ...named.map(({ key, text }) => label(key).integer(field.label.str, stringIndex(escapeText(text)))),
      label('pid').integer(field.label.num, pid).integer(field.label.numUnit, stringIndex('id')),
      label('tid').integer(field.label.num, tid).integer(field.label.numUnit, stringIndex('id')),
    ]
  }

  function label(key: string): ProtobufMessage {
    return new ProtobufMessage().integer(field.label.key, stringIndex(key))
  }

  function writeSample(
    node: CallTreeNode,
    path: readonly CallTreeNode[],
    labels: readonly ProtobufMessage[],
  ) {
    const leafFirst = path.map(({ fn }) => locationOf(fn!)).reverse()
    const sample = new ProtobufMessage()
      .packed(field.sample.locationId, leafFirst)
      .packed(field.sample.value, [node.calls, node.self])
    for (const item of labels) sample.message(field.sample.label, item)
    profile.message(field.profile.sample, sample)
    flushIfLarge()
  }

  function writeLocations(): void {
    for (const [index, fn] of locations.entries()) {
      const id = index + 1
      const mapping = mappings.get(fn.module) ?? mappings.size + 1
      mappings.set(fn.module, mapping)
      const described = new ProtobufMessage()
        .integer(field.function.id, id)
        .integer(field.function.name, stringIndex(escapeText(fn.name)))
        .integer(field.function.systemName, stringIndex(escapeText(fn.symbol)))
      const location = new ProtobufMessage()
        .integer(field.location.id, id)
        .integer(field.location.mappingId, mapping)
        .message(field.location.line, new ProtobufMessage().integer(field.line.functionId, id))
      profile.message(field.profile.function, described).message(field.profile.location, location)
      flushIfLarge()
    }
    for (const [module, id] of mappings) {
      const mapping = new ProtobufMessage()
        .integer(field.mapping.id, id)
        .integer(field.mapping.filename, stringIndex(escapeText(module)))
        .integer(field.mapping.hasFunctions, 1)
      profile.message(field.profile.mapping, mapping)
    }
  }

  function flushIfLarge(): void {
    if (profile.length >= memberBytes) flush()
  }

  function flush(): void {
    write(gzipSync(profile.bytes))
    profile.clear()
  }

  function finish(remarks: readonly string[]): void {
    stringIndex('')
    profile
      .message(field.profile.sampleType, valueType('calls', 'count'))
      .message(field.profile.sampleType, valueType('wall', 'nanoseconds'))
    for (const root of tree.roots) {
      const labels = labelsOf(root.thread!)
      forEachStack(root, (node, path) => writeSample(node, path, labels))
    }
    writeLocations()
    const comments = [escapeText(facts.title), ...remarks].map(stringIndex)
    profile.packed(field.profile.comment, comments)
    profile.integer(field.profile.defaultSampleType, stringIndex('wall'))
    if (facts.startUnixNs !== undefined) profile.bigInteger(field.profile.timeNanos, facts.startUnixNs)
    if (span.endNs > span.beginNs) profile.integer(field.profile.durationNanos, span.endNs - span.beginNs)
    for (const text of strings.keys()) profile.string(field.profile.stringTable, text)
    flush()
  }

  return createSummedExport(
    {
      begin: (call) => {
        tree.begin(call)
        span.beginNs = Math.min(span.beginNs, call.beginNs)
      },
      end: (call) => {
        tree.end(call)
        span.endNs = Math.max(span.endNs, call.endNs)
      },
    },
    finish,
  )
}
