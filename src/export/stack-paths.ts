import { type CallTreeNode, type CallTreeRoot, descendants } from './call-tree.ts'
import { processLabel, type TraceFacts, threadLabel } from './trace-facts.ts'

/** Where a root of a call tree stands: nothing where there is no other, else its process and its thread. */
export function rootLabels(root: CallTreeRoot, facts: TraceFacts, rootCount: number): readonly string[] {
  if (root.thread === undefined || rootCount === 1) return []
  return [processLabel(facts, root.thread.pid), threadLabel(facts, root.thread)]
}

/**
 * Visits what is below `root`, callers first, with the path from the outermost call to the node; the array is
 * reused.
 */
export function forEachStack(
  root: CallTreeRoot,
  visit: (node: CallTreeNode, path: readonly CallTreeNode[]) => void,
): void {
  const path: CallTreeNode[] = []
  for (const node of descendants(root)) {
    while (path.length > 0 && path.at(-1) !== node.parent) path.pop()
    path.push(node)
    visit(node, path)
  }
}
