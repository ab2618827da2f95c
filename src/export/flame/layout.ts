import type { FrameSource } from './frame-source.ts'

export interface PlacedFrame {
  readonly source: FrameSource
  /** 0 for the root. */
  readonly level: number
  /** Left edge, in the unit of the values. */
  readonly x: number
}

export interface FlameLayout {
  /** Each frame before those on it. */
  readonly frames: readonly PlacedFrame[]
  readonly levels: number
  readonly total: number
  /** Frames below this value are left out, with all that stands on them. */
  readonly minValue: number
  /** How many were left out directly on a frame that is drawn, and what they weigh. */
  readonly folded: { readonly count: number; readonly value: number }
  /** The same for frames that stand too high. */
  readonly tooDeep: { readonly count: number; readonly value: number }
}

export interface LayoutLimits {
  /** Smallest part of the whole width that is drawn. */
  readonly minShare: number
  /** More frames than this raise the smallest part. */
  readonly maxFrames: number
  readonly maxLevels: number
}

/** Places frames on each other, the heaviest leftmost. */
export function layOut(root: FrameSource, limits: LayoutLimits): FlameLayout {
  const layout = place(root, root.value * limits.minShare, limits.maxLevels)
  if (layout.frames.length <= limits.maxFrames) return layout
  const values = Float64Array.from(layout.frames, ({ source }) => source.value).sort()
  return place(root, values[values.length - limits.maxFrames]!, limits.maxLevels)
}

function place(root: FrameSource, minValue: number, maxLevels: number): FlameLayout {
  const frames: PlacedFrame[] = []
  const folded = { count: 0, value: 0 }
  const tooDeep = { count: 0, value: 0 }
  let levels = 0
  const pending: PlacedFrame[] = [{ source: root, level: 0, x: 0 }]
  for (let frame = pending.pop(); frame !== undefined; frame = pending.pop()) {
    frames.push(frame)
    levels = Math.max(levels, frame.level + 1)
    let { x } = frame
    const children = [...frame.source.children()].sort((a, b) => b.value - a.value)
    const placed: PlacedFrame[] = []
    for (const source of children) {
      const leftOut = frame.level + 1 >= maxLevels ? tooDeep : source.value < minValue ? folded : undefined
      if (leftOut !== undefined) {
        leftOut.count += 1
        leftOut.value += source.value
      } else if (source.value > 0) placed.push({ source, level: frame.level + 1, x })
      x += source.value
    }
    for (let index = placed.length - 1; index >= 0; index -= 1) pending.push(placed[index]!)
  }
  return { frames, levels, total: root.value, minValue, folded, tooDeep }
}
