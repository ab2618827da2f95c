/**
 * The open calls of one thread: for each the row it belongs to and the time that its ended children took.
 * `open` is the number of them; what lies beyond is left over from earlier calls.
 */
export class OpenCalls {
  open = 0
  rows = new Int32Array(32)
  childrenNs = new Float64Array(32)
  /** By row: how many of the open calls belong to it. */
  #openOfRow = new Int32Array(64)

  begin(row: number): void {
    const open = this.open
    if (open === this.rows.length) this.#deepen()
    if (row >= this.#openOfRow.length) this.#widen(row)
    this.rows[open] = row
    this.childrenNs[open] = 0
    this.#openOfRow[row]! += 1
    this.open = open + 1
  }

  /** Ends the innermost call; true if no other call of its row is open. */
  end(durationNs: number): boolean {
    const open = --this.open
    if (open > 0) this.childrenNs[open - 1]! += durationNs
    return --this.#openOfRow[this.rows[open]!]! === 0
  }

  #deepen(): void {
    const rows = new Int32Array(2 * this.rows.length)
    rows.set(this.rows)
    this.rows = rows
    const childrenNs = new Float64Array(rows.length)
    childrenNs.set(this.childrenNs)
    this.childrenNs = childrenNs
  }

  #widen(row: number): void {
    const grown = new Int32Array(Math.max(2 * this.#openOfRow.length, row + 1))
    grown.set(this.#openOfRow)
    this.#openOfRow = grown
  }
}
