import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonLinesOf, nestedCalls, relatedFunctions, relatedTraces } from '../../test/support/jsonl-trace.ts'
import {
  groupBy,
  type NaiveCall,
  naiveSelfNs,
  naiveTotalNs,
  naiveTrace,
} from '../../test/support/naive-report.ts'
import { deliver, functionTable, type TraceEvent } from '../../test/support/random-trace.ts'
import { type CallTreeOptions, createCallTreeBuilder } from './build-call-tree.ts'
import { type CallTree, rootNode } from './call-tree.ts'
import { functionKey } from './function-rows.ts'
import { calleesOf, callersOf } from './tree-views.ts'

function merge(events: Iterable<TraceEvent>, options: CallTreeOptions = { fold: false }) {
  const builder = createCallTreeBuilder(options)
  deliver(events, builder)
  return builder.result()
}

type Numbers = Readonly<Record<'calls' | 'totalNs' | 'selfNs' | 'unusual', number>>

/** A tree as `path: numbers`. Paths begin at the outermost function. */
function numbersByPath(tree: CallTree): Map<string, Numbers> {
  const paths = ['']
  const found = new Map<string, Numbers>()
  for (let node = rootNode + 1; node < tree.size; node++) {
    const fn = tree.functionOf(node)
    const path = `${paths[tree.parentOf(node)]}/${fn === undefined ? '…' : functionKey(fn)}`
    expect(found.has(path)).toBe(false)
    paths[node] = path
    const { cut, inferred, unwound } = tree.endsOf(node)
    found.set(path, {
      calls: tree.callsOf(node),
      totalNs: tree.totalNsOf(node),
      selfNs: tree.selfNsOf(node),
      unusual: cut + inferred + unwound,
    })
  }
  return found
}

const keyOf = ({ name, symbol, module }: NaiveCall) => `/${name}\0${symbol}\0${module}`
const pathOf = (call: NaiveCall) => [call, ...call.callers].reverse().map(keyOf).join('')

function naiveByPath(calls: readonly NaiveCall[], path: (call: NaiveCall) => string): Map<string, Numbers> {
  return new Map([...groupBy(calls, path)].map(([key, group]) => [key, numbersOf(group)]))
}

const numbersOf = (calls: readonly NaiveCall[]): Numbers => ({
  calls: calls.length,
  totalNs: naiveTotalNs(calls),
  selfNs: naiveSelfNs(calls),
  unusual: calls.filter(({ how }) => how !== 'return').length,
})

const sorted = (map: Map<string, Numbers>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1))

describe('every node has what the JSON lines of the same trace add up to', () => {
  it('the merged tree', () => {
    fc.assert(
      fc.property(relatedTraces, (events) => {
        const { calls, lostEvents } = naiveTrace(jsonLinesOf(events))
        const merged = merge(events)
        expect(sorted(numbersByPath(merged.tree))).toEqual(sorted(naiveByPath(calls, pathOf)))
        expect(merged.lostEvents).toBe(lostEvents)
        expect(merged.totalNs).toBe(naiveSelfNs(calls))
      }),
    )
  })

  it('with functions that call themselves folded', () => {
    const foldedPath = (call: NaiveCall) => {
      const keys = [call, ...call.callers].reverse().map(keyOf)
      return keys.filter((key, index) => key !== keys[index - 1]).join('')
    }
    fc.assert(
      fc.property(relatedTraces, (events) => {
        const { calls } = naiveTrace(jsonLinesOf(events))
        const { tree } = merge(events, { fold: true })
        expect(sorted(numbersByPath(tree))).toEqual(sorted(naiveByPath(calls, foldedPath)))
      }),
    )
  })

  it('what a function calls', () => {
    const [fn] = relatedFunctions
    const key = `/${functionKey(fn!)}`
    fc.assert(
      fc.property(relatedTraces, (events) => {
        const { calls } = naiveTrace(jsonLinesOf(events))
        const { tree } = merge(events)
        const row = tree.functions.indexOf(fn!)
        const within = calls.filter((call) => pathOf(call).includes(key))
        const expected = naiveByPath(within, (call) => pathOf(call).slice(pathOf(call).indexOf(key)))
        expect(sorted(numbersByPath(calleesOf(tree, row)))).toEqual(sorted(expected))
      }),
    )
  })

  it('who calls a function', () => {
    const [fn] = relatedFunctions
    const key = `/${functionKey(fn!)}`
    fc.assert(
      fc.property(relatedTraces, fc.nat(3), (events, levels) => {
        const { calls } = naiveTrace(jsonLinesOf(events))
        const { tree } = merge(events)
        const expected = new Map<string, Numbers>()
        for (let level = 0; level <= levels; level++) {
          const called = calls.filter((call) => keyOf(call) === key && call.callers.length >= level)
          const path = (call: NaiveCall) => [call, ...call.callers.slice(0, level)].map(keyOf).join('')
          for (const [callers, group] of groupBy(called, path)) {
            const outermost = group.filter((call) => call.callers.every((caller) => keyOf(caller) !== key))
            expected.set(callers, { ...numbersOf(group), totalNs: naiveTotalNs(outermost) })
          }
        }
        const view = callersOf(tree, tree.functions.indexOf(fn!), levels)
        expect(sorted(numbersByPath(view))).toEqual(sorted(expected))
      }),
    )
  })
})

it('beyond the largest number of paths nothing is lost but the paths', () => {
  fc.assert(
    fc.property(relatedTraces, fc.nat(5), (events, maxPaths) => {
      const { calls } = naiveTrace(jsonLinesOf(events))
      const { tree, totalNs } = merge(events, { fold: false, maxPaths })
      const numbers = [...numbersByPath(tree).values()]
      expect(tree.size).toBeLessThanOrEqual(1 + 2 * maxPaths + 1)
      expect(numbers.reduce((sum, node) => sum + node.calls, 0)).toBe(calls.length)
      expect(numbers.reduce((sum, node) => sum + node.selfNs, 0)).toBe(totalNs)
    }),
  )
})

it('ten thousand functions within each other, and again below another one', () => {
  const functions = functionTable(Array.from({ length: 10_000 }, (_, index) => `f${index}`))
  const { tree } = merge([...nestedCalls(functions), ...nestedCalls([functions[7]!, ...functions])])
  expect(tree.size).toBe(20_002)
  for (let node = rootNode + 1; node < tree.size; node++) {
    expect(tree.child(tree.parentOf(node), tree.rowOf(node))).toBe(node)
    expect(tree.callsOf(node)).toBe(1)
  }
})
