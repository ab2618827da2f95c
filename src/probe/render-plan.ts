import { expectedCostNs } from './cost.ts'
import type { FunctionPlan, ModulePlan, WayOut } from './plan.ts'

type Row = readonly string[]

const HEADINGS: Row = ['ADDRESS', 'SIZE', 'ENTRY', 'AT', 'EXIT', 'COST', 'WHY', 'FUNCTION']
/** Columns of numbers, which end where their heading ends. */
const RIGHT_ALIGNED = new Set([0, 1, 5])

/**
 * A module's plan for people: one row for each function with its probes and an estimate of what a call costs, then what is
 * left out and why, then totals. `printable` makes names from the target harmless to a terminal.
 */
export function renderPlan(module: string, plan: ModulePlan, printable: (text: string) => string): string {
  const lines = [printable(module)]
  if (plan.functions.length > 0)
    lines.push(...align([HEADINGS, ...plan.functions.map((entry) => row(entry, printable))]))
  if (plan.untraced.length > 0) {
    lines.push('', 'not traced')
    const rows = plan.untraced.map(({ name, reason }) => [printable(name), reason])
    lines.push(...align(rows).map((line) => `  ${line}`))
  }
  return `${lines.join('\n')}\n\n${totals(plan)}\n`
}

function row(plan: FunctionPlan, printable: (text: string) => string): Row {
  const { entry } = plan
  const offset = entry.address - plan.address
  const place = offset === 0 ? entry.instruction : `+${offset} ${entry.instruction}`
  return [
    `0x${plan.address.toString(16)}`,
    String(plan.size),
    place,
    entry.optimised ? 'optimised' : entry.emulated ? 'emulated' : 'stepped',
    exitText(plan.exit),
    `~${(expectedCostNs(plan) / 1000).toFixed(1)} µs`,
    plan.reason,
    printable(plan.name),
  ]
}

function exitText(exit: WayOut): string {
  if (exit.kind === 'return') return 'return probe'
  if (exit.kind === 'none') return 'inferred'
  if (exit.kind === 'entry') return 'at entry'
  const jumps = exit.sites.filter(({ emulated }) => emulated).length
  const rets = exit.sites.length - jumps
  return [rets > 0 && `${rets} × ret`, jumps > 0 && `${jumps} × jump`].filter(Boolean).join(', ')
}

/** Pads all columns but the last to the width of their widest cell. */
function align(rows: readonly Row[]): string[] {
  const widths: number[] = []
  for (const cells of rows)
    cells.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length)
    })
  return rows.map((cells) =>
    cells
      .map((cell, i) => {
        if (i === cells.length - 1) return cell
        return RIGHT_ALIGNED.has(i) && cells.length > 2 ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)
      })
      .join('  '),
  )
}

function totals({ functions, untraced }: ModulePlan): string {
  const count = (test: (plan: FunctionPlan) => boolean) => functions.filter(test).length
  const moved = count(({ entry, address }) => entry.emulated && entry.address !== address)
  const emulated = count(({ entry }) => entry.emulated)
  const optimised = count(({ entry }) => entry.optimised === true)
  return [
    `${functions.length} functions traced, ${untraced.length} not traced`,
    `entries: ${emulated} emulated (${moved} of them behind the first instruction${optimised > 0 ? `, ${optimised} without a trap` : ''}), ` +
      `${functions.length - emulated} stepped`,
    `exits: ${count(({ exit }) => exit.kind === 'return')} return probes, ` +
      `${count(({ exit }) => exit.kind === 'ret')} by their ret instructions, ` +
      `${count(({ exit }) => exit.kind === 'none')} inferred`,
    'costs are estimates, for a virtual machine: on bare metal a single step is about ten times cheaper',
  ].join('\n')
}
