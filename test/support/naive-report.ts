/** One call, as JSON lines tell it. Times count from the trace's first event. */
export interface NaiveCall {
  readonly tid: number
  readonly pid: number
  readonly name: string
  readonly symbol: string
  readonly module: string
  readonly beginNs: number
  readonly endNs: number
  readonly how: string
  readonly children: NaiveCall[]
  readonly callers: readonly NaiveCall[]
}

export interface NaiveTrace {
  readonly calls: readonly NaiveCall[]
  readonly lostEvents: number
}

/** Every call of a trace, from its JSON lines, with all the memory that takes. */
export function naiveTrace(jsonLines: string): NaiveTrace {
  const open = new Map<number, NaiveCall[]>()
  const calls: NaiveCall[] = []
  let lostEvents = 0
  for (const line of jsonLines.split('\n').filter((text) => text !== '')) {
    const { type, tsNs, tid, pid, name, symbol, module, ...rest } = JSON.parse(line)
    if (type === 'lost') lostEvents += rest.count
    if (type !== 'begin' && type !== 'end') continue
    const stack = open.get(tid) ?? []
    open.set(tid, stack)
    if (type === 'begin') {
      const callers = [...stack].reverse()
      const call = {
        tid,
        pid,
        name,
        symbol,
        module,
        beginNs: tsNs,
        endNs: tsNs,
        how: '',
        children: [],
        callers,
      }
      stack.at(-1)?.children.push(call)
      stack.push(call)
    } else {
      const call = stack.pop()!
      calls.push(Object.assign(call, { endNs: tsNs, how: rest.how }))
    }
  }
  return { calls, lostEvents }
}

const lengthOf = ({ beginNs, endNs }: NaiveCall) => endNs - beginNs
const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)

/** The time that at least one of the calls was open, thread by thread. */
export function naiveTotalNs(calls: readonly NaiveCall[]): number {
  let total = 0
  for (const tid of new Set(calls.map((call) => call.tid))) {
    let coveredUntil = Number.NEGATIVE_INFINITY
    const ofThread = calls.filter((call) => call.tid === tid).sort((a, b) => a.beginNs - b.beginNs)
    for (const { beginNs, endNs } of ofThread) {
      total += Math.max(0, endNs - Math.max(beginNs, coveredUntil))
      coveredUntil = Math.max(coveredUntil, endNs)
    }
  }
  return total
}

export const naiveSelfNs = (calls: readonly NaiveCall[]) =>
  sum(calls.map((call) => lengthOf(call) - sum(call.children.map(lengthOf))))

export function naiveNumbers(calls: readonly NaiveCall[]) {
  const durations = calls.map(lengthOf).sort((a, b) => a - b)
  const avgNs = sum(durations) / durations.length
  return {
    calls: calls.length,
    totalNs: naiveTotalNs(calls),
    selfNs: naiveSelfNs(calls),
    minNs: durations[0]!,
    maxNs: durations.at(-1)!,
    avgNs,
    stddevNs: Math.sqrt(sum(durations.map((ns) => (ns - avgNs) ** 2)) / durations.length),
    ends: {
      cut: calls.filter(({ how }) => how === 'cut').length,
      inferred: calls.filter(({ how }) => how === 'inferred').length,
      unwound: calls.filter(({ how }) => how === 'unwound').length,
    },
    durations,
  }
}

export function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return groups
}
