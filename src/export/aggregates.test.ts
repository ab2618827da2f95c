import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DecodedMessage } from '../../test/support/decode-protobuf.ts'
import {
  callsOf,
  entryOf,
  exported,
  type FunctionTotals,
  hostileTraces,
  outermostNs,
  tameTraces,
  totalsByName,
} from '../../test/support/export-trace.ts'
import { escapeText } from '../base/escape.ts'
import { createCallgrindExport } from './callgrind.ts'
import type { ExportTarget } from './export-sink.ts'
import { createFoldedExport, type FoldedOptions } from './folded.ts'
import { createPprofExport } from './pprof.ts'
import { counted } from './text.ts'

const foldedWith =
  (options: Partial<FoldedOptions> = {}) =>
  (target: ExportTarget) =>
    createFoldedExport({ ...target, by: 'time', mergeThreads: false, samplePeriodNs: undefined, ...options })

/** Weight by stack: functions that differ may have one name, whose lines add up. */
function parseFolded(text: string): Map<string, number> {
  const weights = new Map<string, number>()
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const [, stack, weight] = /^(.*) (\d+)$/.exec(line)!
    weights.set(stack!, (weights.get(stack!) ?? 0) + Number(weight))
  }
  return weights
}

const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0)

test.each([true, false])('folded stacks weigh what the calls took (threads merged: %s)', (mergeThreads) => {
  fc.assert(
    fc.property(hostileTraces, (events) => {
      const byTime = parseFolded(exported(foldedWith({ mergeThreads }), events).toString())
      expect(sum(byTime.values())).toBe(outermostNs(events))
      const byCalls = parseFolded(exported(foldedWith({ mergeThreads, by: 'calls' }), events).toString())
      expect(sum(byCalls.values())).toBe(callsOf(events).length)
    }),
  )
})

test('each function has the folded time and calls of its own', () => {
  fc.assert(
    fc.property(tameTraces, (events) => {
      const text = exported(foldedWith({ mergeThreads: true }), events).toString()
      const totals = new Map<string, FunctionTotals>()
      for (const [stack, weight] of parseFolded(text)) {
        const frames = stack.split(';')
        entryOf(totals, frames.at(-1)!).selfNs += weight
        for (const name of new Set(frames)) entryOf(totals, name).inclusiveNs += weight
      }
      const calls = parseFolded(exported(foldedWith({ mergeThreads: true, by: 'calls' }), events).toString())
      for (const [stack, weight] of calls) entryOf(totals, stack.split(';').at(-1)!).calls += weight
      expect(Object.fromEntries(totals)).toEqual(Object.fromEntries(totalsByName(events)))
    }),
  )
})

test('samples are the multiples of the period that fall into the calls', () => {
  fc.assert(
    fc.property(tameTraces, fc.integer({ min: 1, max: 500 }), (events, samplePeriodNs) => {
      const sampled = parseFolded(exported(foldedWith({ samplePeriodNs }), events).toString())
      const multiples = (ns: number) => Math.floor(ns / samplePeriodNs)
      const outermost = callsOf(events).filter(({ depth }) => depth === 0)
      expect(sum(sampled.values())).toBe(
        sum(outermost.map(({ beginNs, endNs }) => multiples(endNs) - multiples(beginNs))),
      )
    }),
  )
})

test('folded stacks stand under process and thread only where there are several', () => {
  fc.assert(
    fc.property(hostileTraces, (events) => {
      const threads = new Set(callsOf(events).map(({ thread }) => thread.tid))
      const stacks = parseFolded(exported(foldedWith({ by: 'calls' }), events).toString()).keys()
      const roots = new Set([...stacks].map((stack) => stack.split(';').slice(0, 2).join(';')))
      const labels = [...threads].map((tid) => {
        const process = tid < 3 ? 'app:"<1> (1)' : 'process 2'
        return tid % 2 === 1 ? `${process};worker,"<${tid}> (${tid})` : `${process};thread ${tid}`
      })
      if (threads.size > 1) expect([...roots].sort()).toEqual(labels.sort())
    }),
  )
})

test('pprof profiles decode by the published field numbers to the same times and calls', () => {
  fc.assert(
    fc.property(hostileTraces, (events) => {
      const profile = new DecodedMessage(gunzipSync(exported(createPprofExport, events)))
      const strings = profile.texts(6)
      expect(strings[0]).toBe('')
      const text = (index: number | undefined) => strings[index ?? 0]!
      const types = profile.messages(1).map((type) => [text(type.integer(1)), text(type.integer(2))])
      expect(types).toEqual([
        ['calls', 'count'],
        ['wall', 'nanoseconds'],
      ])
      const functions = new Map(profile.messages(5).map((fn) => [fn.integer(1), text(fn.integer(2))]))
      const mappings = new Map(profile.messages(3).map((item) => [item.integer(1), text(item.integer(5))]))
      const names = new Map<number, string>()
      for (const location of profile.messages(4)) {
        names.set(location.integer(1)!, functions.get(location.message(4)!.integer(1))!)
        expect(mappings.has(location.integer(2))).toBe(true)
      }
      const totals = new Map<string, FunctionTotals>()
      const threads = new Set<string>()
      for (const sample of profile.messages(2)) {
        const [calls, ns] = sample.packed(2)
        const stack = sample.packed(1).map((id) => names.get(id)!)
        const leaf = entryOf(totals, stack[0]!)
        leaf.calls += calls!
        leaf.selfNs += ns!
        for (const name of new Set(stack)) entryOf(totals, name).inclusiveNs += ns!
        const labels = new Map(sample.messages(3).map((label) => [text(label.integer(1)), label]))
        threads.add(`${labels.get('pid')!.integer(3)} ${labels.get('tid')!.integer(3)}`)
      }
      expect(Object.fromEntries(totals)).toEqual(Object.fromEntries(totalsByName(events, escapeText)))
      expect(threads).toEqual(new Set(callsOf(events).map(({ thread }) => `${thread.pid} ${thread.tid}`)))
      expect(text(profile.integer(14))).toBe('wall')
      const lost = sum(events.map((event) => (event.type === 'lost' ? event.count : 0)))
      const comments = profile.packed(13).map(text).join()
      if (lost > 0) expect(comments).toContain(`${counted(lost, 'event')} lost`)
    }),
  )
})

test('callgrind files add up to the same times and calls', () => {
  fc.assert(
    fc.property(tameTraces, (events) => {
      const costs = parseCallgrind(exported(createCallgrindExport, events).toString())
      const totals = new Map<string, FunctionTotals>()
      for (const [name, { calls, selfNs, inclusiveNs }] of costs) {
        const isRecursive = name.endsWith("'2")
        if (name.startsWith('[')) continue
        const own = entryOf(totals, isRecursive ? name.slice(0, -2) : name)
        own.calls += calls
        own.selfNs += selfNs
        if (!isRecursive) own.inclusiveNs += inclusiveNs
      }
      expect(Object.fromEntries(totals)).toEqual(Object.fromEntries(totalsByName(events)))
    }),
  )
})

test('callgrind files of hostile names hold nothing but the lines of the format', () => {
  fc.assert(
    fc.property(hostileTraces, (events) => {
      const text = exported(createCallgrindExport, events).toString()
      expect(() => parseCallgrind(text)).not.toThrow()
      expect(text).toContain(`summary: ${outermostNs(events)}\n`)
    }),
  )
})

test('callgrind_annotate reads the file and prints the same inclusive times', () => {
  const folder = mkdtempSync(join(tmpdir(), 'callgrind-'))
  const [events] = fc.sample(
    tameTraces.filter((trace) => callsOf(trace).length > 15),
    { numRuns: 1, seed: 7 },
  )
  try {
    const file = join(folder, 'callgrind.out')
    writeFileSync(file, exported(createCallgrindExport, events!))
    const printed = execFileSync('callgrind_annotate', ['--inclusive=yes', '--threshold=100', file], {
      encoding: 'utf8',
    })
    for (const [name, { inclusiveNs }] of totalsByName(events!)) {
      const row = printed.split('\n').find((line) => line.includes(`:${name} [`)) ?? '0'
      const [cost = ''] = row.trim().split(' ')
      expect(cost.replaceAll(',', ''), name).toBe(String(inclusiveNs))
    }
    expect(printed).toContain(`${outermostNs(events!).toLocaleString('en')} (100.0%)  PROGRAM TOTALS`)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

/** Calls, own and inclusive cost by function. Source: https://valgrind.org/docs/manual/cl-format.html */
function parseCallgrind(text: string): Map<string, FunctionTotals> {
  const costs = new Map<string, FunctionTotals>()
  const names = new Map<string, string>()
  const nameOf = (compressed: string) => {
    const [, id, name] = /^\((\d+)\)(?: (.*))?$/.exec(compressed)!
    if (name !== undefined) names.set(id!, name)
    return names.get(id!)!
  }
  const header = /^(?:# .*|(?:version|creator|pid|cmd|part|desc|positions|event|events|summary|totals): .*|)$/
  let current: FunctionTotals | undefined
  let callee: FunctionTotals | undefined
  let isCallCost = false
  for (const line of text.split('\n')) {
    const [, key, value] = /^(ob|fl|fn|cob|cfi|cfn|calls)=(.*)$/.exec(line) ?? []
    const cost = /^0 (\d+)$/.exec(line)
    if (key === 'fn') current = entryOf(costs, nameOf(value!))
    else if (key === 'cfn') callee = entryOf(costs, nameOf(value!))
    else if (key === 'calls') {
      callee!.calls += Number(/^(\d+) 0$/.exec(value!)![1])
      isCallCost = true
    } else if (cost !== null) {
      current!.inclusiveNs += Number(cost[1])
      if (!isCallCost) current!.selfNs += Number(cost[1])
      isCallCost = false
    } else if (key === undefined && !header.test(line)) throw new Error(`no line of the format: ${line}`)
  }
  return costs
}
