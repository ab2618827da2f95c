import { type CallTreeNode, descendants } from '../call-tree.ts'
import type { FrameSource } from './frame-source.ts'

/** A stack seen from its innermost function: how far out we are, and where its weight comes from. */
interface Strand {
  readonly at: CallTreeNode
  readonly origin: CallTreeNode
}

/** The frames under `root` inverted: the functions that weigh something by themselves, and on them their callers. */
export function bottomUpFrames(
  root: CallTreeNode,
  weigh: (node: CallTreeNode) => number,
): readonly FrameSource[] {
  const strands: Strand[] = []
  for (const node of descendants(root)) if (weigh(node) > 0) strands.push({ at: node, origin: node })
  return merge(strands, weigh)
}

function merge(strands: readonly Strand[], weigh: (node: CallTreeNode) => number): readonly FrameSource[] {
  const byFunction = new Map<number, Strand[]>()
  for (const strand of strands) {
    const { id } = strand.at.fn!
    const group = byFunction.get(id)
    if (group === undefined) byFunction.set(id, [strand])
    else group.push(strand)
  }
  return [...byFunction.values()].map((group) => frameOf(group, weigh))
}

function frameOf(strands: readonly Strand[], weigh: (node: CallTreeNode) => number): FrameSource {
  const { name, module } = strands[0]!.at.fn!
  const sum = (measure: (origin: CallTreeNode) => number) =>
    strands.reduce((total, { origin }) => total + measure(origin), 0)
  const outermost = strands.filter(({ at }) => at.parent!.fn === undefined)
  return {
    label: name,
    module,
    value: sum(weigh),
    self: outermost.reduce((total, { origin }) => total + weigh(origin), 0),
    calls: sum(({ calls }) => calls),
    atLeast: sum(({ atLeast }) => atLeast),
    atMost: sum(({ atMost }) => atMost),
    children: () =>
      merge(
        strands.flatMap(({ at, origin }) =>
          at.parent!.fn === undefined ? [] : [{ at: at.parent!, origin }],
        ),
        weigh,
      ),
  }
}
