import { STB_LOCAL, STB_WEAK, STT_NOTYPE, type SymbolTable } from './symbol-table.ts'

/** One symbol of a function. */
export interface Name {
  readonly text: string
  readonly table: SymbolTable
  readonly symbol: number
}

/**
 * What people call the function: `write` rather than `__write` or `__libc_write`, though libraries make the plain
 * name the weak one; never a file-local name or a bare label where there is another.
 */
export function bestName(names: readonly Name[]): Name {
  return names.reduce((best, name) => (compareNames(name, best) < 0 ? name : best))
}

/** The names that are not the best one. */
export function aliasesOf(best: Name, names: readonly Name[]): readonly string[] {
  const aliases = new Set(names.map((name) => name.text))
  aliases.delete(best.text)
  return [...aliases].sort()
}

function compareNames(a: Name, b: Name): number {
  return (
    flag(a, isLabel) - flag(b, isLabel) ||
    flag(a, isLocal) - flag(b, isLocal) ||
    leadingUnderscores(a.text) - leadingUnderscores(b.text) ||
    a.text.length - b.text.length ||
    flag(a, isWeak) - flag(b, isWeak) ||
    (a.text < b.text ? -1 : a.text > b.text ? 1 : 0)
  )
}

const flag = (name: Name, test: (name: Name) => boolean) => (test(name) ? 1 : 0)
const isLabel = ({ table, symbol }: Name) => table.type(symbol) === STT_NOTYPE
const isLocal = ({ table, symbol }: Name) => table.binding(symbol) === STB_LOCAL
const isWeak = ({ table, symbol }: Name) => table.binding(symbol) === STB_WEAK

function leadingUnderscores(text: string): number {
  let count = 0
  while (text.charCodeAt(count) === 0x5f) count++
  return count
}
