import { type CallTreeNode, descendants } from '../call-tree.ts'
import type { FrameSource } from './frame-source.ts'

/** The frames under `root` in the order of calls: callers carry what they called. */
export function topDownFrames(
  root: CallTreeNode,
  weigh: (node: CallTreeNode) => number,
): readonly FrameSource[] {
  const values = subtreeValues(root, weigh)
  const frameOf = (node: CallTreeNode): FrameSource => ({
    label: node.fn!.name,
    module: node.fn!.module,
    value: values.get(node)!,
    self: weigh(node),
    calls: node.calls,
    atLeast: node.atLeast,
    atMost: node.atMost,
    children: () => [...node.children.values()].map(frameOf),
  })
  return [...root.children.values()].map(frameOf)
}

function subtreeValues(
  root: CallTreeNode,
  weigh: (node: CallTreeNode) => number,
): ReadonlyMap<CallTreeNode, number> {
  const callersFirst = [...descendants(root)]
  const values = new Map(callersFirst.map((node) => [node, weigh(node)]))
  for (const node of callersFirst.reverse()) {
    const { parent } = node
    if (parent?.fn !== undefined) values.set(parent, values.get(parent)! + values.get(node)!)
  }
  return values
}
