import type { FlowChange } from './code-sweep.ts'
import { Flow } from './decoder.ts'
import { type Head, jumpCondition, readHead } from './encoding.ts'
import { type Step, stepOver } from './entry-block.ts'
import { emulationOf } from './kernel-rules.ts'

/** A jump by which a function comes to its `ret`: whoever passes it leaves, once, and does nothing else but clean up. */
export interface WayToRet {
  /** Of the jump, in the function's bytes. */
  readonly offset: number
  readonly length: number
  /** It leads to the `ret` on this condition (the `cc` of a `jcc`); undefined: always. */
  readonly condition: number | undefined
  /** Bytes by which the stack pointer lies below the return address there. */
  readonly stackDisplacement: number
}

/** More probes would cost more than they save. */
const waysMax = 4
/** Looking through larger functions would take long. */
const changesMax = 5_000
const RSP = 4

/**
 * All ways to a `ret`, if each of them is a jump that the kernel emulates: the conditional jump of a stack-protector's
 * check, the jump to an epilogue that several have in common. Proven by decoding: between such a jump and the `ret` nothing
 * but the stack pointer changes by amounts that are in the code, nothing can fault or be called, nothing else leads there,
 * and no loop passes the jump twice.
 * @param bytes all of the function, to which nothing jumps through registers or tables
 * @param changes in their order
 * @param ret offset
 * @returns undefined where that is not so
 */
export function waysToRet(
  bytes: Uint8Array,
  changes: readonly FlowChange[],
  ret: number,
): readonly WayToRet[] | undefined {
  const before = changes[indexFrom(ret, changes) - 1]
  if (before === undefined || changes.length > changesMax) return undefined
  const start = before.offset + before.length
  const ways: (WayToRet | undefined)[] = []
  const add = (jump: FlowChange, isTaken: boolean, from: number) => {
    ways.push(wayBy(jump, isTaken, stackRise(bytes, from, ret), bytes, changes))
  }
  if (before.flow === Flow.conditionalJump) add(before, false, start)
  else if (before.flow === Flow.call) return undefined
  for (const jump of changes) {
    const { target } = jump
    if (target !== undefined && target >= start && target <= ret) add(jump, true, target)
  }
  const known = ways.filter((way) => way !== undefined)
  if (known.length < ways.length) return undefined
  const merged = known.flatMap((way) =>
    mergedWays(
      known.filter(({ offset }) => offset === way.offset),
      way,
    ),
  )
  const isProven = merged.length > 0 && merged.length <= waysMax && !merged.includes(undefined)
  return isProven ? merged.filter((way) => way !== undefined) : undefined
}

/** A jump that leads to the `ret` whether it is taken or not: once. @param same those by one jump @param way one of them */
function mergedWays(same: readonly WayToRet[], way: WayToRet): readonly (WayToRet | undefined)[] {
  if (same.length === 1) return [way]
  if (same[0] !== way) return []
  const isSame = same.every(({ stackDisplacement }) => stackDisplacement === way.stackDisplacement)
  return [isSame ? { ...way, condition: undefined } : undefined]
}

function wayBy(
  jump: FlowChange,
  isTaken: boolean,
  stackDisplacement: number | undefined,
  bytes: Uint8Array,
  changes: readonly FlowChange[],
): WayToRet | undefined {
  const { offset, length, flow } = jump
  if (stackDisplacement === undefined || comesAgain(jump, isTaken, changes)) return undefined
  if (emulationOf(bytes.subarray(offset, offset + length)) !== 'everywhere') return undefined
  if (flow === Flow.jump) return { offset, length, condition: undefined, stackDisplacement }
  const taken = jumpCondition(bytes, offset)
  // Of each pair of condition codes one is the opposite of the other (Intel SDM volume 2, appendix B.1.4.7).
  return taken === undefined
    ? undefined
    : { offset, length, condition: isTaken ? taken : taken ^ 1, stackDisplacement }
}

/** Whether the function, where the jump does not lead to the `ret`, may come to it again. */
function comesAgain(jump: FlowChange, isTaken: boolean, changes: readonly FlowChange[]): boolean {
  if (jump.flow === Flow.jump) return false
  const otherwise = isTaken ? jump.offset + jump.length : jump.target
  // A jump out of the function does not come back.
  const pending = [otherwise]
  const seen = new Set<FlowChange>()
  for (let from = pending.pop(); from !== undefined; from = pending.pop()) {
    const change = from < 0 ? undefined : changes[indexFrom(from, changes)]
    if (change === jump) return true
    if (change === undefined || seen.has(change)) continue
    seen.add(change)
    const { flow, offset, length, target } = change
    if (flow === Flow.conditionalJump || flow === Flow.call) pending.push(offset + length)
    if (target !== undefined) pending.push(target)
  }
  return false
}

/** Index of the first change at an offset or behind it. */
function indexFrom(offset: number, changes: readonly FlowChange[]): number {
  let low = 0
  let high = changes.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (changes[middle]!.offset < offset) low = middle + 1
    else high = middle
  }
  return low
}

/** Bytes by which the stack pointer rises from one instruction to another one behind it; undefined where more happens. */
function stackRise(bytes: Uint8Array, from: number, to: number): number | undefined {
  let rise = 0
  let offset = from
  while (offset < to) {
    const head = readHead(bytes, offset)
    if (head === undefined) return undefined
    const step = takeDown(bytes, offset, head) ?? stepOver(bytes, offset, head)
    if (step === undefined || step.mayFault === true) return undefined
    rise -= step.lowers
    offset += step.length
  }
  return offset === to && rise >= 0 ? rise : undefined
}

/** `pop` into anything but the stack pointer, and `add rsp, n`: what else takes a frame down is not in an epilogue. */
function takeDown(bytes: Uint8Array, at: number, head: Head): Step | undefined {
  const { opcode, opcodeAt, rex } = head
  if (head.map !== 0 || head.vector !== 'none' || head.refusedPrefix || head.repeat !== 0 || head.operandSize)
    return undefined
  if (opcode >= 0x58 && opcode <= 0x5f) {
    const intoStackPointer = (opcode & 7) === RSP && (rex & 1) === 0
    return intoStackPointer ? undefined : { length: opcodeAt + 1 - at, lowers: -8 }
  }
  const addsToStackPointer = bytes[opcodeAt + 1] === (0xc0 | RSP) && (rex & 9) === 8
  if (!addsToStackPointer || (opcode !== 0x81 && opcode !== 0x83)) return undefined
  const operandAt = opcodeAt + 2
  const operandBytes = opcode === 0x83 ? 1 : 4
  if (operandAt + operandBytes > bytes.length) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset + operandAt, operandBytes)
  const amount = operandBytes === 1 ? view.getInt8(0) : view.getInt32(0, true)
  return { length: operandAt + operandBytes - at, lowers: -amount }
}
