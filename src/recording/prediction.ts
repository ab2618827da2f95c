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
  /** Number of calls that are thought to be open. */
  depth = 0
  /** By depth: the stack pointer of each open call, from 1 on; at 0 that of the last outermost call. */
  stacks = new Float64Array(16)
  /** By depth: 1 + the function of each open call; 0 at 0. */
  functions = new Int32Array(16)
  /** 0 after an entry, else 1 + the function that was left. */
  previous = 0

  start(tid: number, pid: number, cpu: number): void {
    this.tid = tid
    this.pid = pid
    this.cpu = cpu
    this.depth = 0
    this.stacks[0] = 0
    this.previous = 0
  }

  push(stack: number, fn: number): void {
    const depth = this.depth + 1
    if (depth > deepest) return
    if (depth === this.stacks.length) {
      const stacks = new Float64Array(depth * 2)
      stacks.set(this.stacks)
      this.stacks = stacks
      const functions = new Int32Array(depth * 2)
      functions.set(this.functions)
      this.functions = functions
    }
    this.stacks[depth] = stack
    this.functions[depth] = fn + 1
    this.depth = depth
  }

  /** 1 + the function of the innermost call, or 0. */
  get caller(): number {
    return this.functions[this.depth]!
  }

  /** What stack pointers are told relative to. */
  get reference(): number {
    return this.stacks[this.depth]!
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
      const top = stacks[depth]!
      if (top > stack || (top === stack && functions[depth] !== fn + 1)) break
      depth--
    }
    thread.depth = depth
    thread.previous = 0
    if (depth === 0) stacks[0] = stack
    thread.push(stack, fn)
  }

  /** The same for a function and a stack pointer that were expected: there is nothing to learn. */
  enterExpected(thread: ThreadModel, stack: number, fn: number): void {
    const { stacks } = thread
    const depth = thread.depth + 1
    if (depth === 1 || depth === stacks.length || stacks[depth - 1]! <= stack) {
      this.enter(thread, stack, fn)
      return
    }
    stacks[depth] = stack
    thread.functions[depth] = fn + 1
    thread.depth = depth
    thread.previous = 0
  }

  leave(thread: ThreadModel, stack: number, fn: number, kind: number): void {
    const { stacks } = thread
    let { depth } = thread
    const slot = exitSlot(fn)
    if (depth > 0 && thread.caller === fn + 1) {
      const offset = stack - stacks[depth]!
      if (offset >= 0 && offset < largestExitOffset) {
        this.exitOffsets[slot] = offset
        this.exitKinds[slot] = kind
      }
    }
    if (kind !== eventKind.return) {
      while (depth > 0 && stacks[depth]! <= stack) depth--
    } else {
      // A hooked return is reported for each call of a chain of tail calls: it ends one of them.
      const entered = stack - this.exitOffsets[slot]!
      while (depth > 0 && stacks[depth]! < entered) depth--
      if (depth > 0 && stacks[depth] === entered) depth--
    }
    thread.depth = depth
    thread.previous = fn + 1
  }

  /** The same for the innermost call's return, in the way that was expected. */
  leaveExpected(thread: ThreadModel, stack: number, fn: number, kind: number): void {
    let depth = thread.depth - 1
    if (kind !== eventKind.return) {
      const { stacks } = thread
      while (depth > 0 && stacks[depth]! <= stack) depth--
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
