import type { TraceClock } from '../trace/clock.ts'
import { type ByteWriter, encode } from './byte-writer.ts'
import { absent, allColumns, bound, type Column, type ColumnName, type Row } from './columns.ts'

const space = 0x20
const rule = encode('| ')
const leading: readonly ColumnName[] = ['cpu', 'pid', 'tid', 'timestamp', 'duration']

export interface TableOptions {
  /** The columns that are shown from the start, in this order; others that appear later stand left of them. */
  readonly columns: readonly ColumnName[]
  /** Whether a thin line marks each switch of thread. */
  readonly separators: boolean
  readonly clock: TraceClock
  readonly color: boolean
}

/**
 * The left part of every line: the columns. With a second thread the TID column appears, with a second process
 * the PID column: a remark says whose the lines so far were, and a new header follows.
 */
export class Table {
  /** To be filled before `startLine`. */
  readonly row: Row = {
    cpu: absent,
    pid: absent,
    tid: absent,
    timeNs: 0,
    durationNs: absent,
    durationBound: bound.exact,
    resolutionNs: 0,
    selfNs: absent,
    deltaNs: absent,
    fn: undefined,
  }
  readonly #out: ByteWriter
  readonly #all: Readonly<Record<ColumnName, Column>>
  readonly #names: Set<ColumnName>
  readonly #order: readonly ColumnName[]
  readonly #separators: boolean
  #columns: Column[] = []
  #separator: Uint8Array = encode('')
  #hasHeader = false
  /** The thread of the last line that belongs to one. */
  #tid = absent
  #pid = absent

  constructor(out: ByteWriter, options: TableOptions) {
    this.#out = out
    this.#all = allColumns(options.clock, options.color)
    this.#names = new Set(options.columns)
    const asked = [...this.#names]
    const unasked = leading.filter((name) => !this.#names.has(name))
    this.#order = asked[0] === 'cpu' ? ['cpu', ...unasked, ...asked.slice(1)] : [...unasked, ...asked]
    this.#separators = options.separators
  }

  /** Writes all that stands left of the text for `row`, after a header or a separator where one is due. */
  startLine(): void {
    const { row } = this
    if (row.tid !== this.#tid && row.tid !== absent) this.#enterThread(row.tid, row.pid)
    if (!this.#hasHeader) this.#writeHeader()
    const out = this.#out
    const columns = this.#columns
    if (columns.length === 0) return
    for (let index = 0; index < columns.length; index += 1) {
      columns[index]!.write(out, row)
      out.byte(space)
    }
    out.bytes(rule)
  }

  #enterThread(tid: number, pid: number): void {
    if (this.#tid !== absent) {
      const news: string[] = []
      if (pid !== this.#pid && !this.#names.has('pid')) news.push(this.#addColumn('pid', this.#pid))
      if (!this.#names.has('tid')) news.push(this.#addColumn('tid', this.#tid))
      if (news.length > 0) {
        this.#startBlankLine()
        this.#out.bytes(encode(`/* above: ${news.join(', ')} */`))
        this.#out.endLine()
        this.#hasHeader = false
      } else if (this.#separators) {
        this.#out.bytes(this.#separator)
        this.#out.endLine()
      }
    }
    this.#tid = tid
    this.#pid = pid
  }

  /** All lines so far are of one `value` of the new column: while it is hidden there is only one. */
  #addColumn(name: ColumnName, value: number): string {
    this.#names.add(name)
    return `${this.#all[name].title} ${value}`
  }

  #startBlankLine(): void {
    if (this.#columns.length === 0) return
    for (const { width } of this.#columns) this.#out.spaces(width + 1)
    this.#out.bytes(rule)
  }

  #writeHeader(): void {
    this.#hasHeader = true
    this.#columns = this.#order.filter((name) => this.#names.has(name)).map((name) => this.#all[name])
    if (this.#columns.length === 0) return
    const titles = this.#columns.map(({ title, width }) => `${title.padStart(width)} `)
    this.#out.bytes(encode(`${titles.join('')}| FUNCTION`))
    this.#out.endLine()
    this.#separator = encode(`${titles.map((cell) => '-'.repeat(cell.length)).join('')}+-----------`)
  }
}
