import { formatDuration } from '../../base/duration.ts'
import { jsonString } from '../../base/json-string.ts'
import { type ByteWriter, encode } from '../../sink/byte-writer.ts'
import { xmlText } from '../xml-text.ts'
import { createPalette } from './colors.ts'
import type { FlameLayout, PlacedFrame } from './layout.ts'
import { script } from './script.ts'
import { style } from './style.ts'

export interface FlamePicture {
  readonly title: string
  /** What the reader must know of the trace: a line each. */
  readonly remarks: readonly string[]
  /** What the picture leaves out: a line each. */
  readonly asides: readonly string[]
  readonly layout: FlameLayout
  readonly unit: 'ns' | 'samples' | 'calls'
  /** The root at the top. */
  readonly icicle: boolean
}

/** Pixels. The script lays out again for the window's width. */
export const pictureWidth = 1200
const margin = 10
const rowHeight = 17
const lineHeight = 16
const baseline = 12.5
/** Advance of a character in the monospaced fonts that `style` names, at 12 px. */
const characterWidth = 7.25
const fewestCharacters = 3

/**
 * One SVG file with nothing outside it: a picture where no script may run, and where one may (the file opened
 * in a browser), a tool to zoom, search and walk in. The frames stand in it once as rectangles and once as
 * numbers for the script.
 * Source: https://www.w3.org/TR/SVG2/ (`foreignObject` holds the search box)
 */
export function writeSvg(out: ByteWriter, picture: FlamePicture): void {
  const { layout, title, remarks, asides, icicle } = picture
  const lines = [
    ...remarks.map((text) => ({ text, kind: 'remark' })),
    ...asides.map((text) => ({ text, kind: 'aside' })),
  ]
  const line = (text: string) => {
    out.bytes(encode(text))
    out.endLine()
  }
  const top = 2 * margin + lineHeight * (2 + lines.length)
  const height = top + layout.levels * rowHeight + lineHeight + 2 * margin
  const scale = (pictureWidth - 2 * margin) / Math.max(layout.total, Number.MIN_VALUE)
  const boxes = layout.frames.map((frame) => boxOf(frame))

  function boxOf({ source, level, x }: PlacedFrame) {
    const row = icicle ? level : layout.levels - 1 - level
    return { x: margin + x * scale, y: top + row * rowHeight, width: source.value * scale }
  }

  line('<?xml version="1.0" encoding="UTF-8"?>')
  line(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${pictureWidth}" height="${height}" ` +
      `viewBox="0 0 ${pictureWidth} ${height}" role="img">`,
  )
  line(`<title>${xmlText(title)}</title>`)
  line(`<style>${style}</style>`)
  line('<rect class="paper" width="100%" height="100%"/>')
  line(`<text class="heading" x="${margin}" y="${margin + lineHeight}">${xmlText(title)}</text>`)
  for (const [index, { text, kind }] of lines.entries()) {
    line(
      `<text class="${kind}" x="${margin}" y="${margin + lineHeight * (index + 2)}">${xmlText(text)}</text>`,
    )
  }
  line('<g id="frames">')
  const colorOf = createPalette()
  for (const [index, { source }] of layout.frames.entries()) {
    const { x, y, width } = boxes[index]!
    line(
      `<rect x="${pixels(x)}" y="${y}" width="${pixels(width)}" height="${rowHeight - 1}" ` +
        `fill="${colorOf(source.label, source.module)}"/>`,
    )
  }
  line('</g>')
  line('<g id="labels">')
  for (const [index, { source }] of layout.frames.entries()) {
    const { x, y, width } = boxes[index]!
    const label = fitting(source.label, width)
    if (label !== '') line(`<text x="${pixels(x + 3)}" y="${y + baseline}">${xmlText(label)}</text>`)
  }
  line('</g>')
  line(`<text id="details" x="${margin}" y="${height - margin}">${xmlText(summary(picture))}</text>`)
  line(`<script type="application/json" id="data">${dataOf(picture, { top, height })}</script>`)
  line(`<script><![CDATA[${script}]]></script>`)
  line('</svg>')
}

function pixels(value: number): string {
  return String(Math.round(value * 100) / 100)
}

/** As much of a label as fits; nothing where that would be a riddle. */
function fitting(label: string, width: number): string {
  const room = Math.floor((width - 6) / characterWidth)
  if (room < fewestCharacters) return ''
  const characters = [...label]
  return characters.length <= room ? label : `${characters.slice(0, room - 1).join('')}…`
}

function summary({ layout, unit }: FlamePicture): string {
  if (unit !== 'ns') return `${layout.total} ${unit}`
  const { text, unit: timeUnit } = formatDuration(layout.total)
  return `${text.trim()} ${timeUnit} in all threads`
}

/** Numbers of a frame in the script's data: label, level, x, value, self, calls, atLeast, atMost. */
function dataOf(
  { layout, unit, icicle }: FlamePicture,
  { top, height }: { top: number; height: number },
): string {
  const labels = new Map<string, number>()
  const texts: string[] = []
  const numbers = layout.frames.map(({ source, level, x }) => {
    const text = `[${jsonString(source.label)},${source.module === undefined ? '""' : jsonString(source.module)}]`
    const index = labels.get(text) ?? texts.push(text) - 1
    labels.set(text, index)
    const { value, self, calls, atLeast, atMost } = source
    return [index, level, x, value, self, calls, atLeast, atMost].join()
  })
  const sizes = {
    total: layout.total,
    levels: layout.levels,
    unit,
    icicle,
    margin,
    rowHeight,
    top,
    height,
    baseline,
    characterWidth,
  }
  const json = `{"sizes":${JSON.stringify(sizes)},"labels":[${texts.join()}],"frames":[${numbers.join()}]}`
  return inXml(json)
}

/** JSON that is safe as text of an XML element. */
function inXml(json: string): string {
  return json.replace(
    /[<>&\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
