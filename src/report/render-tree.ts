import { escapeText } from '../base/escape.ts'
import { type CallTree, elidedRow, rootNode } from './call-tree.ts'
import { alignRight, cellOf, countText } from './cell.ts'
import { percentOf } from './report-columns.ts'
import { endsComment } from './subject-label.ts'
import { TreeOrder } from './tree-order.ts'

export interface TreeOptions {
  /** What the tree's functions are called, by row; not escaped. */
  readonly labels: readonly string[]
  /** The time that percentages are of. */
  readonly wholeNs: number
  /** Whether the cost of probes was taken off durations. */
  readonly isCompensated: boolean
  /** Levels shown at most; what lies below is summed up in a line. */
  readonly levels: number
  /** Nodes with less than this share of the whole time are summed up in a line. */
  readonly minPercent: number
  readonly color: boolean
}

interface Item {
  readonly node: number
  readonly level: number
  /** What is drawn left of the node's children and of the node itself. */
  readonly indent: string
  readonly branch: string
  /** Set where the line stands for several nodes. */
  readonly more?: string
}

const durationWidth = 10
const percentWidth = 7

/** A tree as lines with calls and times, children below their parents, the longest first. */
export function* renderTree(tree: CallTree, options: TreeOptions): Generator<string> {
  const order = new TreeOrder(tree)
  const callsWidth = Math.max('CALLS'.length, countText(order.mostCallsWithin(rootNode)).length)
  const heading = `${'TOTAL'.padStart(durationWidth)}  ${'TOTAL%'.padStart(percentWidth)}  `
  yield ` ${heading}${'SELF'.padStart(durationWidth)}  ${'CALLS'.padStart(callsWidth)}  FUNCTION`
  const isShort = (node: number) => percentOf(tree.totalNsOf(node), options.wholeNs) < options.minPercent
  const kind = options.isCompensated ? 'compensated-duration' : 'duration'
  const pending: Item[] = itemsBelow(rootNode, 0, '')
  for (let item = pending.pop(); item !== undefined; item = pending.pop()) {
    yield lineOf(item)
    if (item.more === undefined) pending.push(...itemsBelow(item.node, item.level + 1, item.indent))
  }

  /** In the order of a stack: the first one last. */
  function itemsBelow(parent: number, level: number, indent: string): Item[] {
    const children = order.childrenOf(parent)
    if (children.length === 0) return []
    if (level >= options.levels) {
      const more = `… ${countText(order.pathsWithin(parent) - 1)} more below (see --levels)`
      return [{ node: parent, level, indent, branch: `${indent}└─ `, more }]
    }
    const shown = options.minPercent > 0 ? children.filter((node) => !isShort(node)) : children
    const hidden = children.length - shown.length
    const items = shown.map((node, index): Item => {
      const isLast = index === shown.length - 1 && hidden === 0
      if (level === 0) return { node, level, indent: '', branch: '' }
      return {
        node,
        level,
        indent: indent + (isLast ? '   ' : '│  '),
        branch: indent + (isLast ? '└─ ' : '├─ '),
      }
    })
    if (hidden > 0) {
      const more = `… ${countText(hidden)} more, each below ${options.minPercent}%`
      items.push({ node: parent, level, indent, branch: level === 0 ? '' : `${indent}└─ `, more })
    }
    return items.reverse()
  }

  function lineOf({ node, branch, more }: Item): string {
    if (more !== undefined)
      return `${' '.repeat(2 * durationWidth + percentWidth + callsWidth + 9)}${branch}${more}`
    const total = alignRight(cellOf(kind, tree.totalNsOf(node)), durationWidth, options.color)
    const self = alignRight(cellOf(kind, tree.selfNsOf(node)), durationWidth, options.color)
    const percent = cellOf('percent', percentOf(tree.totalNsOf(node), options.wholeNs)).text
    const calls = countText(tree.callsOf(node))
    const numbers = `${total}  ${percent.padStart(percentWidth)}  ${self}  ${calls.padStart(callsWidth)}`
    return ` ${numbers}  ${branch}${nameOf(node)}${endsComment(tree.endsOf(node))}`
  }

  function nameOf(node: number): string {
    const row = tree.rowOf(node)
    if (row === elidedRow) return '… calls on further paths, which are too many to keep apart'
    return escapeText(options.labels[row]!)
  }
}
