import { CallTree, rootNode } from './call-tree.ts'

/**
 * What the function of a row calls: the subtrees of its outermost calls, merged into one below the root's only child.
 * The total time of recursive calls is part of that of the outermost ones.
 */
export function calleesOf(tree: CallTree, row: number): CallTree {
  const view = new CallTree(tree.functions)
  /** By node of `tree`: its node in the view; 0 for what is not in it. */
  const nodeInView = new Int32Array(tree.size)
  for (let node = rootNode + 1; node < tree.size; node++) {
    const above = nodeInView[tree.parentOf(node)]!
    if (above === rootNode && tree.rowOf(node) !== row) continue
    const merged = view.child(above, tree.rowOf(node))
    view.addFrom(merged, tree, node, tree.totalNsOf(node))
    nodeInView[node] = merged
  }
  return view
}

/**
 * Who calls the function of a row: it is the root's only child, the children of a node are the callers of its
 * function, and every node has the calls and times of the function when called in this way. The total time of
 * recursive calls is counted at the outermost one.
 * @param levels callers followed at most
 */
export function callersOf(tree: CallTree, row: number, levels: number): CallTree {
  const view = new CallTree(tree.functions)
  const isWithin = new Uint8Array(tree.size)
  for (let node = rootNode + 1; node < tree.size; node++) {
    const parent = tree.parentOf(node)
    if (isWithin[parent] === 1 || tree.rowOf(parent) === row) isWithin[node] = 1
    if (tree.rowOf(node) !== row) continue
    const totalNs = isWithin[node] === 1 ? 0 : tree.totalNsOf(node)
    let merged: number = rootNode
    let caller = node
    for (let level = 0; level <= levels && caller !== rootNode; level++) {
      merged = view.child(merged, tree.rowOf(caller))
      view.addFrom(merged, tree, node, totalNs)
      caller = tree.parentOf(caller)
    }
  }
  return view
}
