import { escapeText } from '../base/escape.ts'
import type { MergedTrace } from './build-call-tree.ts'
import { addEnds, noEnds } from './call-ends.ts'
import { type CallTree, rootNode } from './call-tree.ts'
import { belowTable, footnotes } from './footnotes.ts'
import { functionKey } from './function-rows.ts'
import { renderTree } from './render-tree.ts'
import { distinctLabels, noTaskNames } from './subject-label.ts'
import { type TreeView, treeJson } from './tree-json.ts'
import { calleesOf, callersOf } from './tree-views.ts'

export interface GraphOptions {
  readonly format: 'tree' | 'json'
  /** Keys (`functionKey`) of the functions to show callers and callees of; undefined: the whole tree. */
  readonly functions: ReadonlySet<string> | undefined
  /** Levels shown at most, in either direction. */
  readonly levels: number
  /** What has less of the whole time is not shown. */
  readonly minPercent: number
  readonly color: boolean
}

/** The lines of a call graph: the whole tree of calls, or for each function who calls it and what it calls. */
export function* renderGraph(merged: MergedTrace, options: GraphOptions): Generator<string> {
  const views = viewsOf(merged.tree, options)
  if (options.format === 'json') {
    yield* treeJson(views, merged.totalNs, factsOf(merged))
    return
  }
  const labels = labelsOf(merged.tree)
  for (const [index, { view, tree }] of views.entries()) {
    if (index > 0) yield ''
    if (view !== 'calls') yield `${headings[view]} ${escapeText(labels[tree.rowOf(rootNode + 1)]!)}:`
    yield* renderTree(tree, {
      ...options,
      labels,
      wholeNs: merged.totalNs,
      isCompensated: merged.isCompensated,
    })
  }
  if (views.length === 0) yield 'No call of a matching function.'
  const { tree, lostEvents, sampleInterval } = merged
  yield* belowTable(
    footnotes({ ends: endsOf(tree), lostEvents, isUnscaledSample: sampleInterval !== undefined }),
    ' ',
  )
}

const headings = { callers: 'Callers of', callees: 'Calls below' } as const

function labelsOf({ functions }: CallTree): string[] {
  const subjects = functions.map(
    ({ name, symbol, module }) => ({ by: 'function', name, symbol, module }) as const,
  )
  const labels = distinctLabels(subjects, noTaskNames)
  return subjects.map((subject) => labels.get(subject)!)
}

/** Functions with the most time first. */
function viewsOf(tree: CallTree, { functions, levels }: GraphOptions): TreeView[] {
  if (functions === undefined) return [{ view: 'calls', tree }]
  const rows = [...tree.functions.keys()].filter((row) => functions.has(functionKey(tree.functions[row]!)))
  return rows
    .map((row) => ({ row, callees: calleesOf(tree, row) }))
    .filter(({ callees }) => callees.size > 1)
    .sort((a, b) => b.callees.totalNsOf(rootNode + 1) - a.callees.totalNsOf(rootNode + 1))
    .flatMap(({ row, callees }): TreeView[] => [
      // One level more than is shown, so that there is something to tell of what is not.
      { view: 'callers', tree: callersOf(tree, row, levels) },
      { view: 'callees', tree: callees },
    ])
}

function factsOf(merged: MergedTrace) {
  const { totalNs, lostEvents, tree, sampleInterval } = merged
  const sample = sampleInterval === undefined ? {} : { sampleInterval }
  return { kind: 'utrace-graph', version: 1, totalNs, ...endsOf(tree), lostEvents, ...sample }
}

function endsOf(tree: CallTree) {
  let ends = noEnds
  for (let node = rootNode + 1; node < tree.size; node++) ends = addEnds(ends, tree.endsOf(node))
  return ends
}
