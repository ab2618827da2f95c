import type { CallEnds } from './call-ends.ts'
import { countText } from './cell.ts'

/** What a reader of summed-up numbers should know of them: one line each. */
export function footnotes({
  ends,
  lostEvents,
  sampleInterval,
  isUnscaledSample = false,
}: {
  readonly ends: CallEnds
  readonly lostEvents: number
  readonly sampleInterval?: number | undefined
  readonly isUnscaledSample?: boolean
}): string[] {
  const notes: string[] = []
  if (sampleInterval !== undefined) {
    notes.push(
      sampleInterval === 0
        ? 'a sample, of which no call that is asked for was drawn'
        : `a sample of 1 call in ${countText(sampleInterval)}: calls and times are estimates, scaled up from those that were drawn`,
    )
  }
  if (isUnscaledSample) {
    notes.push('a sample: counts and times are of what was recorded, not scaled up')
  }
  if (lostEvents > 0) {
    notes.push(`${counted(lostEvents, 'event')} lost: calls are missing, and times may be off`)
  }
  if (ends.cut > 0) {
    notes.push(`${counted(ends.cut, 'call')} cut, still open at the end: counted with their time until then`)
  }
  const early = [
    ends.inferred > 0 ? `${countText(ends.inferred)} inferred` : '',
    ends.unwound > 0 ? `${countText(ends.unwound)} unwound` : '',
  ].filter((part) => part !== '')
  if (early.length > 0) {
    notes.push(
      `${early.join(' and ')} (calls whose return was not seen): counted with the most they can have taken`,
    )
  }
  return notes
}

const counted = (count: number, noun: string) => `${countText(count)} ${noun}${count === 1 ? '' : 's'}`

export function omittedNote(omitted: number): string[] {
  return omitted > 0 ? [`${countText(omitted)} more, beyond --limit`] : []
}

/** Notes as the lines that follow a table, with what each begins with. */
export function belowTable(notes: readonly string[], bullet: string): string[] {
  return notes.length === 0 ? [] : ['', ...notes.map((note) => bullet + note)]
}
