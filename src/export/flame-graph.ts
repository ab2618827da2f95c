import { ByteWriter } from '../sink/byte-writer.ts'
import { CallTree, type CallTreeNode, type CallTreeOptions, type CallTreeRoot } from './call-tree.ts'
import type { ExportSink, ExportTarget } from './export-sink.ts'
import { bottomUpFrames } from './flame/bottom-up.ts'
import { enclosingFrame, type FrameSource } from './flame/frame-source.ts'
import { type FlameLayout, layOut } from './flame/layout.ts'
import { pictureWidth, writeSvg } from './flame/svg.ts'
import { topDownFrames } from './flame/top-down.ts'
import type { StackWeight } from './folded.ts'
import { createSummedExport } from './summed-export.ts'
import { counted, durationText } from './text.ts'
import { processLabel, threadLabel } from './trace-facts.ts'

export interface FlameGraphOptions extends ExportTarget, CallTreeOptions {
  readonly by: StackWeight
  /** The root at the top. */
  readonly icicle: boolean
  /** The innermost functions at the root, and on them their callers. */
  readonly inverted: boolean
}

/** Pixels below which a frame is not drawn, at the picture's own width. */
const narrowestPixels = 0.1
const limits = { minShare: narrowestPixels / pictureWidth, maxFrames: 20_000, maxLevels: 500 }
/** Beyond these a picture would be mostly text. */
const remarkLines = 8

/**
 * A flame graph as one self-contained interactive SVG: merged stacks, each as wide as its time (or samples,
 * or calls). With several threads, unless they are merged, each stands on its own frame, on that of its
 * process. What is too narrow or too deep to be drawn is left out, and its share said. Memory grows with the
 * number of distinct stacks.
 * Source of the idea: https://www.brendangregg.com/flamegraphs.html
 */
export function createFlameGraphExport(options: FlameGraphOptions): ExportSink {
  const { write, facts, by, icicle, inverted, samplePeriodNs } = options
  const tree = new CallTree(options)
  const weigh = (node: CallTreeNode) => (by === 'calls' ? node.calls : node.self)
  const framesOf = (root: CallTreeRoot) =>
    inverted ? bottomUpFrames(root, weigh) : topDownFrames(root, weigh)

  function wholeFrame(): FrameSource {
    const { roots } = tree
    if (roots.length <= 1) return enclosingFrame('all', roots.flatMap(framesOf))
    const byProcess = new Map<number, CallTreeRoot[]>()
    for (const root of roots) {
      const { pid } = root.thread!
      byProcess.set(pid, [...(byProcess.get(pid) ?? []), root])
    }
    const processes = [...byProcess].map(([pid, threads]) =>
      enclosingFrame(
        processLabel(facts, pid),
        threads.map((root) => enclosingFrame(threadLabel(facts, root.thread!), framesOf(root))),
      ),
    )
    return enclosingFrame('all', processes)
  }

  function finish(lines: readonly string[]): void {
    const layout = layOut(wholeFrame(), limits)
    const unit = by === 'calls' ? 'calls' : samplePeriodNs === undefined ? 'ns' : 'samples'
    const hidden = lines.length - remarkLines
    const out = new ByteWriter(write)
    writeSvg(out, {
      title: [facts.title, ...(inverted ? ['callers of each function'] : [])].join(': '),
      remarks: hidden > 0 ? [...lines.slice(0, remarkLines), `… and ${hidden} more remarks.`] : lines,
      asides: leftOut(layout),
      layout,
      unit,
      icicle,
    })
    out.flush()
  }

  function leftOut({ folded, tooDeep, total, minValue }: FlameLayout): readonly string[] {
    const share = (value: number) => `${((100 * value) / total).toFixed(2)} %`
    const smallest =
      by === 'calls' || samplePeriodNs !== undefined ? String(Math.ceil(minValue)) : durationText(minValue)
    const lines: string[] = []
    if (folded.count > 0)
      lines.push(
        `Too narrow to be drawn: ${counted(folded.count, 'frame')} below ${smallest}, with what stands on them, ` +
          `${share(folded.value)} of the whole.`,
      )
    if (tooDeep.count > 0)
      lines.push(
        `Too deep to be drawn: ${counted(tooDeep.count, 'frame')} beyond ${limits.maxLevels} levels, with what stands on them, ` +
          `${share(tooDeep.value)} of the whole.`,
      )
    return lines
  }

  return createSummedExport(tree, finish)
}
