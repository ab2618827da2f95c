import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  deliver,
  functionTable,
  randomTrace,
  recordingSink,
  type TraceEvent,
} from '../../test/support/random-trace.ts'
import type { TraceSink } from './call.ts'
import { withCallersOf, withShownFunctions, withSubtrees } from './select.ts'

const functions = functionTable(['a', 'b', 'c', 'd'])
const isNamed =
  (...names: string[]) =>
  ({ name }: { name: string }) =>
    names.includes(name)

function filtered(events: readonly TraceEvent[], filter: (sink: TraceSink) => TraceSink): TraceEvent[] {
  const sink = recordingSink()
  deliver(events, filter(sink))
  return sink.events
}

/** Calls as paths of names, by walking the begins and ends: what the filters should make of them is said of paths. */
function paths(events: readonly TraceEvent[]): string[] {
  const open = new Map<number, string[]>()
  const found: string[] = []
  for (const event of events) {
    if (event.type === 'lost') continue
    const { call, type } = event
    const names = open.get(call.thread.tid) ?? []
    open.set(call.thread.tid, names)
    if (type === 'begin') {
      expect(call.depth).toBe(names.length)
      names.push(call.fn.name)
      found.push(`${call.thread.tid}:${names.join('/')}`)
    } else {
      expect(names.pop()).toBe(call.fn.name)
      expect(call.depth).toBe(names.length)
    }
  }
  for (const names of open.values()) expect(names).toEqual([])
  return found.sort()
}

const split = (path: string): [tid: string, names: string[]] => {
  const [tid, names] = path.split(':') as [string, string]
  return [tid, names.split('/')]
}

describe('filters of calls', () => {
  it('shown functions: the others leave the paths', () => {
    fc.assert(
      fc.property(randomTrace(functions, 3), (events) => {
        const expected = paths(events).flatMap((path) => {
          const [tid, names] = split(path)
          const shown = names.filter((name) => name !== 'b')
          return names.at(-1) === 'b' ? [] : [`${tid}:${shown.join('/')}`]
        })
        const actual = filtered(events, (sink) => withShownFunctions(sink, isNamed('a', 'c', 'd')))
        expect(paths(actual)).toEqual(expected.sort())
      }),
    )
  })

  it('subtrees: paths begin at the outermost root', () => {
    fc.assert(
      fc.property(randomTrace(functions, 3), (events) => {
        const expected = paths(events).flatMap((path) => {
          const [tid, names] = split(path)
          const root = names.indexOf('b')
          return root < 0 ? [] : [`${tid}:${names.slice(root).join('/')}`]
        })
        expect(paths(filtered(events, (sink) => withSubtrees(sink, isNamed('b'))))).toEqual(expected.sort())
      }),
    )
  })

  it('callers: what leads to a target, and the target', () => {
    const a = (type: 'begin' | 'end', name: string, depth: number, timeNs: number) => ({
      type,
      name,
      depth,
      timeNs,
    })
    const steps = [
      a('begin', 'a', 0, 0),
      a('begin', 'b', 1, 1),
      a('end', 'b', 1, 2),
      a('begin', 'c', 1, 3),
      a('begin', 'd', 2, 4),
      a('end', 'd', 2, 5),
      a('begin', 'b', 2, 6),
      a('end', 'b', 2, 7),
      a('end', 'c', 1, 8),
      a('end', 'a', 0, 9),
    ]
    const [template] = fc.sample(
      randomTrace(functions, 1).filter((events) => events.some(({ type }) => type === 'begin')),
      1,
    )
    const { call } = template!.find((event) => event.type === 'begin')!
    const events = steps.map(
      ({ type, name, depth }): TraceEvent => ({
        type,
        call: { ...call, depth, fn: functions.find((fn) => fn.name === name)! },
      }),
    )
    const shown = filtered(events, (sink) => withCallersOf(sink, isNamed('d')))
    expect(paths(shown)).toEqual(['1:a', '1:a/c', '1:a/c/d'])
  })
})
