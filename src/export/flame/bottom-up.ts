import { type CallTreeNode, descendants } from '../call-tree.ts'
import type { FrameSource } from './frame-source.ts'

/**
 * Stacks seen from their innermost functions: `origins` are where their weights come from, `at` how far out
 * we are in each. Pairs of arrays, for there are as many as there are stacks, on each level anew.
 */
interface Strands {
  readonly at: CallTreeNode[]
  readonly origins: CallTreeNode[]
}

/**
 * The frames under `root` inverted: the functions that weigh something by themselves, and on them their
 * callers.
 */
export function bottomUpFrames(
  root: CallTreeNode,
  weigh: (node: CallTreeNode) => number,
): readonly FrameSource[] {
  const groups = new Groups()
  for (const node of descendants(root)) if (weigh(node) > 0) groups.add(node, node)
  return groups.frames(weigh)
}

/** Strands by the function that they are at. */
class Groups {
  readonly #byFunction = new Map<number, Strands>()

  add(at: CallTreeNode, origin: CallTreeNode): void {
    const { id } = at.fn!
    const group = this.#byFunction.get(id)
    if (group === undefined) this.#byFunction.set(id, { at: [at], origins: [origin] })
    else {
      group.at.push(at)
      group.origins.push(origin)
    }
  }

  frames(weigh: (node: CallTreeNode) => number): readonly FrameSource[] {
    return [...this.#byFunction.values()].map((strands) => frameOf(strands, weigh))
  }
}

function frameOf({ at, origins }: Strands, weigh: (node: CallTreeNode) => number): FrameSource {
  const { name, module } = at[0]!.fn!
  let value = 0
  let self = 0
  let calls = 0
  let atLeast = 0
  let atMost = 0
  for (const [index, origin] of origins.entries()) {
    const weight = weigh(origin)
    value += weight
    if (at[index]!.parent!.fn === undefined) self += weight
    calls += origin.calls
    atLeast += origin.atLeast
    atMost += origin.atMost
  }
  const children = () => {
    const groups = new Groups()
    for (const [index, origin] of origins.entries()) {
      const caller = at[index]!.parent!
      if (caller.fn !== undefined) groups.add(caller, origin)
    }
    return groups.frames(weigh)
  }
  return { label: name, module, value, self, calls, atLeast, atMost, children }
}
