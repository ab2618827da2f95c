/** One call, as JSON lines tell it. Times count from the trace's first event. */
export interface NaiveCall {
  readonly tid: number
  readonly pid: number
  readonly name: string
  readonly symbol: string
  readonly module: string
  readonly beginNs: number
  readonly endNs: number
  /** What the trace says that it took: without what probes cost. */
  readonly durationNs: number
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
        durationNs: 0,
        how: '',
        children: [],
        callers,
      }
      stack.at(-1)?.children.push(call)
      stack.push(call)
    } else {
      const call = stack.pop()!
      calls.push(Object.assign(call, { endNs: tsNs, durationNs: rest.durationNs, how: rest.how }))
    }
  }
  return { calls, lostEvents }
}

const lengthOf = ({ durationNs }: NaiveCall) => durationNs
const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)

/** The time that at least one of the calls was open, thread by thread: what the outermost ones took. */
export function naiveTotalNs(calls: readonly NaiveCall[]): number {
  const all = new Set(calls)
  return sum(calls.filter(({ callers }) => !callers.some((caller) => all.has(caller))).map(lengthOf))
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
