import { type CallTree, rootNode } from './call-tree.ts'
import type { CellKind, CellValue } from './cell.ts'
import { percentOf } from './report-columns.ts'
import { type Column, jsonTable } from './table.ts'

/** A tree, and what it shows. */
export interface TreeView {
  /** All calls; or, for one function, what it calls or who calls it. */
  readonly view: 'calls' | 'callees' | 'callers'
  readonly tree: CallTree
}

interface Node extends TreeView {
  readonly node: number
  /** Added to the numbers of the tree's nodes, so that they are different in all trees. */
  readonly offset: number
}

/**
 * Trees as JSON: one object per node, parents before their children, told by the `id` of the parent; the outermost
 * have none. A node without a name stands for what was called on further paths, beyond the largest number.
 */
export function treeJson(
  views: readonly TreeView[],
  wholeNs: number,
  facts: Readonly<Record<string, CellValue>>,
): Iterable<string> {
  const column = (field: string, kind: CellKind, value: (node: Node) => CellValue): Column<Node> => {
    return { name: field, title: field, field, kind, value }
  }
  const columns = [
    column('view', 'text', ({ view }) => view),
    column('id', 'count', ({ node, offset }) => node + offset),
    column('parentId', 'count', ({ tree, node, offset }) => {
      const parent = tree.parentOf(node)
      return parent === rootNode ? undefined : parent + offset
    }),
    column('name', 'text', ({ tree, node }) => tree.functionOf(node)?.name),
    column('symbol', 'text', ({ tree, node }) => tree.functionOf(node)?.symbol),
    column('module', 'text', ({ tree, node }) => tree.functionOf(node)?.module),
    column('calls', 'count', ({ tree, node }) => tree.callsOf(node)),
    column('totalNs', 'duration', ({ tree, node }) => tree.totalNsOf(node)),
    column('selfNs', 'duration', ({ tree, node }) => tree.selfNsOf(node)),
    column('percentTotal', 'percent', ({ tree, node }) => percentOf(tree.totalNsOf(node), wholeNs)),
    column('cut', 'count', ({ tree, node }) => tree.endsOf(node).cut),
    column('inferred', 'count', ({ tree, node }) => tree.endsOf(node).inferred),
    column('unwound', 'count', ({ tree, node }) => tree.endsOf(node).unwound),
  ]
  return jsonTable(facts, 'nodes', columns, nodesOf(views))
}

function* nodesOf(views: readonly TreeView[]): Generator<Node> {
  let offset = 0
  for (const { view, tree } of views) {
    for (let node = rootNode + 1; node < tree.size; node++) yield { view, tree, node, offset }
    offset += tree.size - 1
  }
}
