const none = -1

/**
 * Numbers the pairs (parent node, function row) of a tree, from 1 (0 is the root), in the order in which they are
 * first seen. Open addressing with linear probing, in three flat arrays: a few bytes and a few nanoseconds a node.
 */
export class NodeTable {
  #slots = new Int32Array(1024).fill(none)
  #parents = new Int32Array(512)
  #rows = new Int32Array(512).fill(none)
  size = 1

  parentOf(node: number): number {
    return this.#parents[node]!
  }

  rowOf(node: number): number {
    return this.#rows[node]!
  }

  /** The child of `parent` for this row, or undefined where there is none yet. */
  find(parent: number, row: number): number | undefined {
    const node = this.#slots[this.#slotOf(parent, row)]!
    return node === none ? undefined : node
  }

  /** Adds a child that there is not yet. */
  add(parent: number, row: number): number {
    const node = this.size++
    if (node === this.#parents.length) this.#grow()
    this.#parents[node] = parent
    this.#rows[node] = row
    this.#slots[this.#slotOf(parent, row)] = node
    return node
  }

  /** Where the pair is, or belongs: at most half of the slots are taken, so there is always a free one. */
  #slotOf(parent: number, row: number): number {
    const mask = this.#slots.length - 1
    let slot = hash(parent, row) & mask
    for (;;) {
      const node = this.#slots[slot]!
      if (node === none || (this.#rows[node] === row && this.#parents[node] === parent)) return slot
      slot = (slot + 1) & mask
    }
  }

  #grow(): void {
    const parents = new Int32Array(2 * this.#parents.length)
    parents.set(this.#parents)
    const rows = new Int32Array(parents.length).fill(none)
    rows.set(this.#rows)
    this.#slots = new Int32Array(2 * parents.length).fill(none)
    this.#parents = parents
    this.#rows = rows
    for (let node = 1; node < this.size - 1; node++)
      this.#slots[this.#slotOf(parents[node]!, rows[node]!)] = node
  }
}

/** Neighbouring numbers end up far apart: the finalizer of MurmurHash3 over both (by Austin Appleby, public domain). */
function hash(parent: number, row: number): number {
  let mixed = Math.imul(parent, 0x9e3779b1) ^ row
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
