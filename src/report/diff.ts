import type { Aggregate, Summary } from './aggregate.ts'

/** A subject in two traces; one of the two may lack it. */
export interface Change {
  readonly a: Summary | undefined
  readonly b: Summary | undefined
}

/**
 * Pairs what is the same in two traces. A function whose module has another name in the other trace is still found
 * by its name and symbol, as long as these are unique in both: the two may be builds of one program under two names.
 */
export function pairSummaries(a: Aggregate, b: Aggregate): Change[] {
  const pairs: Change[] = []
  let restA = a.summaries
  let restB = b.summaries
  for (const keyOf of [fullKey, keyWithoutModule]) {
    const uniqueA = uniqueByKey(restA, keyOf)
    const uniqueB = uniqueByKey(restB, keyOf)
    const paired = new Set<Summary>()
    for (const [key, summary] of uniqueA) {
      const other = uniqueB.get(key)
      if (other === undefined) continue
      pairs.push({ a: summary, b: other })
      paired.add(summary).add(other)
    }
    restA = restA.filter((summary) => !paired.has(summary))
    restB = restB.filter((summary) => !paired.has(summary))
  }
  return [
    ...pairs,
    ...restA.map((summary) => ({ a: summary, b: undefined })),
    ...restB.map((summary) => ({ a: undefined, b: summary })),
  ]
}

const fullKey = ({ subject }: Summary) => Object.values(subject).join('\0')
const keyWithoutModule = ({ subject }: Summary) =>
  subject.by === 'function' ? `${subject.name}\0${subject.symbol}` : Object.values(subject).join('\0')

function uniqueByKey(summaries: readonly Summary[], keyOf: (summary: Summary) => string) {
  const found = new Map<string, Summary>()
  const repeated = new Set<string>()
  for (const summary of summaries) {
    const key = keyOf(summary)
    if (found.has(key)) repeated.add(key)
    found.set(key, summary)
  }
  for (const key of repeated) found.delete(key)
  return found
}

export interface GrowthLimit {
  /** In percent of the total time in A. */
  readonly abovePercent: number
  /** Changes up to this are noise. */
  readonly minChangeNs: number
}

/** What took more time in B than the limit allows. What there was not in A grew without bounds. */
export function grownBeyond<Pair extends Change>(
  changes: readonly Pair[],
  { abovePercent, minChangeNs }: GrowthLimit,
): Pair[] {
  return changes.filter(({ a, b }) => {
    const before = a?.totalNs ?? 0
    const growth = (b?.totalNs ?? 0) - before
    return growth > 0 && growth > minChangeNs && 100 * growth > abovePercent * before
  })
}
