import { eventKind } from '../base/event.ts'

/**
 * What both the encoder and the decoder expect to come next, learned from the events so far of one chunk. An event
 * that comes as expected costs the bytes of its time only. All that is here belongs to the format: a change makes old
 * recordings unreadable.
 */
const tableBits = 12
const tableSize = 1 << tableBits
const tableMask = tableSize - 1
/** Deeper calls are not remembered, and cost more bytes. */
const deepest = 65_536
/** More than a function pushes before its probe. */
const largestExitOffset = 4096

/** What is known of a thread. */
export class ThreadModel {
  tid = 0
  pid = 0
  cpu = 0
  /** Stack pointers and functions of the calls that are thought to be open, outermost first. */
  stacks = new Float64Array(16)
  functions = new Int32Array(16)
  depth = 0
  /** Stack pointer of the last outermost call. */
  base = 0
  /** 0 after an entry, else 1 + the function that was left. */
  previous = 0

  start(tid: number, pid: number, cpu: number): void {
    this.tid = tid
    this.pid = pid
    this.cpu = cpu
    this.depth = 0
    this.base = 0
    this.previous = 0
  }

  push(stack: number, fn: number): void {
    const { depth } = this
    if (depth === deepest) return
    if (depth === this.stacks.length) {
      const stacks = new Float64Array(depth * 2)
      stacks.set(this.stacks)
      this.stacks = stacks
      const functions = new Int32Array(depth * 2)
      functions.set(this.functions)
      this.functions = functions
    }
    this.stacks[depth] = stack
    this.functions[depth] = fn
    this.depth = depth + 1
  }

  /** 1 + the function of the innermost call, or 0. */
  get caller(): number {
    return this.depth === 0 ? 0 : this.functions[this.depth - 1]! + 1
  }

  /** What stack pointers are told relative to. */
  get reference(): number {
    return this.depth === 0 ? this.base : this.stacks[this.depth - 1]!
  }
}

export class Prediction {
  /** By caller and the function last left in it: 1 + the function that was entered then. */
  readonly successors = new Int32Array(tableSize)
  /** By caller and callee: how far the callee's stack pointer was below the caller's. */
  readonly frameSizes = new Float64Array(tableSize)
  /** By function: how far the stack pointer of its exit was above that of its entry, and the exit's kind. */
  readonly exitOffsets = new Int32Array(tableSize)
  readonly exitKinds = new Uint8Array(tableSize)

  reset(): void {
    this.successors.fill(0)
    this.frameSizes.fill(0)
    this.exitOffsets.fill(0)
    this.exitKinds.fill(0)
  }

  enter(thread: ThreadModel, stack: number, fn: number): void {
    const { caller, reference, stacks, functions } = thread
    this.successors[successorSlot(caller, thread.previous)] = fn + 1
    this.frameSizes[frameSlot(caller, fn)] = reference - stack
    let { depth } = thread
    while (depth > 0) {
      const top = stacks[depth - 1]!
      if (top > stack || (top === stack && functions[depth - 1] !== fn)) break
      depth--
    }
    thread.depth = depth
    thread.previous = 0
    if (depth === 0) thread.base = stack
    thread.push(stack, fn)
  }

  leave(thread: ThreadModel, stack: number, fn: number, kind: number): void {
    const { stacks } = thread
    let { depth } = thread
    const slot = exitSlot(fn)
    if (depth > 0 && thread.functions[depth - 1] === fn) {
      const offset = stack - stacks[depth - 1]!
      if (offset >= 0 && offset < largestExitOffset) {
        this.exitOffsets[slot] = offset
        this.exitKinds[slot] = kind
      }
    }
    if (kind !== eventKind.return) {
      while (depth > 0 && stacks[depth - 1]! <= stack) depth--
    } else {
      // A hooked return is reported for each call of a chain of tail calls: it ends one of them.
      const entered = stack - this.exitOffsets[slot]!
      while (depth > 0 && stacks[depth - 1]! < entered) depth--
      if (depth > 0 && stacks[depth - 1] === entered) depth--
    }
    thread.depth = depth
    thread.previous = fn + 1
  }
}

export function successorSlot(caller: number, previous: number): number {
  return (Math.imul(caller, 0x9e3779b1) ^ Math.imul(previous, 0x85ebca6b)) >>> (32 - tableBits)
}

export function frameSlot(caller: number, fn: number): number {
  return (Math.imul(caller, 0xc2b2ae35) ^ Math.imul(fn, 0x27d4eb2f)) >>> (32 - tableBits)
}

export function exitSlot(fn: number): number {
  return fn & tableMask
}
