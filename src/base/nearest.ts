/**
 * The candidate that `word` is most likely a slip of, or undefined where none is close: at most a third of its
 * letters, and never more than three, wrong, missing, surplus or swapped with the next. Case does not count.
 * The first of equally near candidates wins.
 */
export function nearestMatch(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase()
  let bound = Math.min(3, Math.floor((wanted.length + 1) / 3))
  let best: string | undefined
  for (const candidate of candidates) {
    const distance = editDistance(wanted, candidate.toLowerCase(), bound)
    if (distance > bound) continue
    best = candidate
    if (distance === 0) break
    bound = distance - 1
  }
  return best
}

/**
 * Damerau-Levenshtein distance with adjacent swaps (optimal string alignment), in UTF-16 units; anything above
 * `bound` comes back as `bound + 1`. Takes O(bound × length): only the diagonal band that can stay within the bound is
 * filled, so that 100,000 names are searched in milliseconds.
 */
export function editDistance(a: string, b: string, bound: number): number {
  const beyond = bound + 1
  if (Math.abs(a.length - b.length) > bound) return beyond
  // Three rows, reused in turn. Only the cells beside the band are reset: no others are read.
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => Math.min(column, beyond))
  let current: number[] = []
  for (let row = 1; row <= a.length; row++) {
    const first = Math.max(1, row - bound)
    const final = Math.min(b.length, row + bound)
    current[first - 1] = first === 1 ? Math.min(row, beyond) : beyond
    current[final + 1] = beyond
    let smallest = current[first - 1]!
    for (let column = first; column <= final; column++) {
      const same = a[row - 1] === b[column - 1]
      let distance = Math.min(last[column - 1]! + (same ? 0 : 1), last[column]! + 1, current[column - 1]! + 1)
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      if (swapped) distance = Math.min(distance, beforeLast[column - 2]! + 1)
      current[column] = Math.min(distance, beyond)
      smallest = Math.min(smallest, distance)
    }
    // A swap reaches back two rows, but what it costs bounds the row between as well.
    if (smallest > bound) return beyond
    ;[beforeLast, last, current] = [last, current, beforeLast]
  }
  return last[b.length]!
}
