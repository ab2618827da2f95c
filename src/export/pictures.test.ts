import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  callsOf,
  exported,
  hostileTraces,
  outermostNs,
  tameTraces,
  totalsByName,
} from '../../test/support/export-trace.ts'
import { functionTable, type TraceEvent } from '../../test/support/random-trace.ts'
import { asPid, asTid, asTraceNs } from '../base/units.ts'
import type { Call } from '../trace/call.ts'
import { createDotExport } from './dot.ts'
import type { ExportTarget } from './export-sink.ts'
import { createFlameGraphExport, type FlameGraphOptions } from './flame-graph.ts'
import { createMermaidExport } from './mermaid.ts'

const flameWith =
  (options: Partial<FlameGraphOptions> = {}) =>
  (target: ExportTarget) =>
    createFlameGraphExport({
      ...target,
      ...{ by: 'time', mergeThreads: false, samplePeriodNs: undefined, icicle: false, inverted: false },
      ...options,
    })

interface Frame {
  readonly name: string
  readonly module: string
  readonly level: number
  readonly x: number
  readonly value: number
  readonly self: number
  readonly calls: number
}

/** The frames as the picture's script gets them. */
function framesOf(svg: string): Frame[] {
  const [, text] = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(svg)!
  const { labels, frames } = JSON.parse(text!)
  return Array.from({ length: frames.length / 8 }, (_, index) => {
    const [label, level, x, value, self, calls] = frames.slice(8 * index, 8 * index + 8)
    return { name: labels[label][0], module: labels[label][1], level, x, value, self, calls }
  })
}

/** Runs a tool on one file per text. */
function withFiles(
  texts: readonly (string | Buffer)[],
  suffix: string,
  use: (paths: readonly string[]) => void,
) {
  const folder = mkdtempSync(join(tmpdir(), 'pictures-'))
  try {
    const paths = texts.map((text, index) => {
      const path = join(folder, `${index}${suffix}`)
      writeFileSync(path, text)
      return path
    })
    use(paths)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('flame graphs of hostile names are well-formed XML, by xmllint', () => {
  const traces = fc.sample(hostileTraces, { numRuns: 60, seed: 3 })
  const pictures = traces.map((events, index) =>
    exported(
      flameWith({ inverted: index % 2 === 1, icicle: index % 3 === 1, mergeThreads: index % 5 === 1 }),
      events,
    ),
  )
  withFiles(pictures, '.svg', (paths) => execFileSync('xmllint', ['--noout', ...paths]))
})

test('a flame graph names nothing outside itself', () => {
  const svg = exported(flameWith(), fc.sample(tameTraces, 1)[0]!).toString()
  const addresses = svg.match(/\w+:\/\/[^"' )]+/g)!
  expect(new Set(addresses)).toEqual(new Set(['http://www.w3.org/2000/svg', 'http://www.w3.org/1999/xhtml']))
  expect(svg).not.toMatch(/@import|url\(|\bhref\b|\bsrc\b/)
})

test.each(['time', 'calls'] as const)(
  'frames stand within their callers, and what is missing is said (by %s)',
  (by) => {
    fc.assert(
      fc.property(tameTraces, fc.boolean(), (events, mergeThreads) => {
        const svg = exported(flameWith({ by, mergeThreads }), events).toString()
        const frames = framesOf(svg)
        const whole = by === 'time' ? outermostNs(events) : callsOf(events).length
        expect(frames[0]).toMatchObject({ name: 'all', level: 0, x: 0, value: whole })
        const around: Frame[] = []
        const onThem = new Map<Frame | undefined, number>()
        for (const frame of frames) {
          around.length = frame.level
          const outer = around[frame.level - 1]
          if (outer !== undefined) {
            expect(frame.x).toBeGreaterThanOrEqual(outer.x)
            expect(frame.x + frame.value).toBeLessThanOrEqual(outer.x + outer.value)
          }
          onThem.set(outer, (onThem.get(outer) ?? 0) + frame.value)
          around.push(frame)
        }
        const missing = frames.map((frame) => frame.value - frame.self - (onThem.get(frame) ?? 0))
        for (const value of missing) expect(value).toBeGreaterThanOrEqual(0)
        const said = /Too narrow to be drawn: .* on them, (.*) % of the whole/.exec(svg)?.[1] ?? '0.00'
        const sum = missing.reduce((total, value) => total + value, 0)
        expect(said).toBe(((100 * sum) / Math.max(whole, 1)).toFixed(2))
      }),
    )
  },
)

test('an inverted flame graph stands on the own time of each function', () => {
  fc.assert(
    fc.property(tameTraces, (events) => {
      const svg = exported(flameWith({ inverted: true, mergeThreads: true }), events).toString()
      const own = new Map(
        framesOf(svg).flatMap(({ level, name, value }) => (level === 1 ? [[name, value]] : [])),
      )
      const narrowest = Math.max(1, outermostNs(events) / 12_000)
      const truth = [...totalsByName(events)].flatMap(([name, { selfNs }]) =>
        selfNs >= narrowest ? [[name, selfNs]] : [],
      )
      expect(Object.fromEntries(own)).toEqual(Object.fromEntries(truth))
    }),
  )
})

test('what is too narrow for a tenth of a pixel is left out, and its share said', () => {
  const svg = exported(flameWith(), [...leaf(0, 0, 1_000_000), ...leaf(1, 1_000_000, 1_000_010)]).toString()
  expect(framesOf(svg).map(({ name }) => name)).toEqual(['all', 'f'])
  expect(svg).toContain(
    'Too narrow to be drawn: 1 frame below 83.334 ns, with what stands on them, 0.00 % of the whole.',
  )
})

test('a stack that is deeper than a picture can be says so, and takes no recursion to draw', () => {
  const svg = exported(flameWith(), deepStack(50_000)).toString()
  expect(framesOf(svg)).toHaveLength(500)
  expect(svg).toContain('Too deep to be drawn: 1 frame beyond 500 levels')
  expect(framesOf(exported(flameWith({ inverted: true }), deepStack(2000)).toString())).toHaveLength(500)
})

test('call graphs of hostile names are drawn by dot', () => {
  const traces = fc.sample(hostileTraces, { numRuns: 20, seed: 5 })
  const create = (target: ExportTarget) => createDotExport({ ...target, mergeThreads: false })
  withFiles(
    traces.map((events) => exported(create, events)),
    '.dot',
    (paths) => {
      for (const [index, path] of paths.entries()) {
        const plain = execFileSync('dot', ['-Tplain', path], { encoding: 'utf8', stdio: 'pipe' })
        const functions = new Set(callsOf(traces[index]!).map(({ fn }) => fn.id))
        expect(plain.match(/^node f\d+ /gm) ?? []).toHaveLength(functions.size)
      }
    },
  )
})

test('Mermaid call graphs are the lines of a flowchart, whatever the names', () => {
  fc.assert(
    fc.property(hostileTraces, (events) => {
      const create = (target: ExportTarget) => createMermaidExport({ ...target, mergeThreads: false })
      const [first, ...lines] = exported(create, events).toString().trimEnd().split('\n')
      expect(first).toBe('flowchart TD')
      const label = /"(?:[\p{L}\p{N} ,.:()/=+%×…'-]|#\d+;|<br>)*"/u.source
      const statement = new RegExp(
        `^  (?:about\\[${label}\\]|t\\d+\\(\\[${label}\\]\\)|f\\d+\\[${label}\\]|[tf]\\d+ -->\\|${label}\\| f\\d+)$`,
        'u',
      )
      for (const line of lines) expect(line).toMatch(statement)
    }),
  )
})

function callOf(id: number, beginNs: number, endNs: number, depth: number): Call {
  const fn = functionTable(['f', 'g'])[id]!
  const times = { beginNs: asTraceNs(beginNs), endNs: asTraceNs(endNs), beginCpu: 0, endCpu: 0 }
  return { fn, thread: { pid: asPid(1), tid: asTid(1) }, depth, ...times, how: 'return' }
}

function deepStack(depth: number): TraceEvent[] {
  const calls = Array.from({ length: depth }, (_, at) => callOf(0, at, 2 * depth - at, at))
  return [
    ...calls.map((call) => ({ type: 'begin', call }) as const),
    ...calls.reverse().map((call) => ({ type: 'end', call }) as const),
  ]
}

function leaf(id: number, beginNs: number, endNs: number): TraceEvent[] {
  const call = callOf(id, beginNs, endNs, 0)
  return [
    { type: 'begin', call },
    { type: 'end', call },
  ]
}
