import { CodeReader, Flow } from './decoder.ts'

/** The reason that `decodeCode` gives for data among the code. */
export const NOT_ONLY_INSTRUCTIONS = 'its bytes are not all instructions'

/** What decoding a piece of code tells of the ways through it and out of it. */
export interface DecodedCode {
  readonly rets: readonly { readonly offset: number; readonly length: number }[]
  /** Offsets that its direct jumps lead to, inside it. */
  readonly targets: ReadonlySet<number>
  /** Its direct jumps to places outside of it. */
  readonly jumpsOut: readonly JumpOut[]
  /** It runs on over its end. */
  readonly runsOn: boolean
  /** It jumps through registers or tables, to places that its code does not name. */
  readonly hiddenJumps: boolean
  /** Its jumps through registers or memory that do not look like that of a jump table. */
  readonly indirectTailJumps: readonly { readonly offset: number; readonly length: number }[]
  /**
   * Every instruction that does more than going on to the next one, in their order. Undefined where the code was not
   * decoded in a row.
   */
  readonly changes: readonly FlowChange[] | undefined
}

export interface FlowChange {
  readonly offset: number
  readonly length: number
  /** A value of `Flow`. */
  readonly flow: number
  /** Offset that a direct jump leads to. */
  readonly target: number | undefined
}

export interface JumpOut {
  readonly offset: number
  readonly length: number
  /** Offset that it leads to. */
  readonly target: number
  readonly conditional: boolean
}

/**
 * Decodes all of the code in a row if it is known to be nothing but instructions, otherwise what can be reached from its
 * first one. A sentence where neither gives a certain result.
 */
export function decodeCode(bytes: Uint8Array, onlyInstructions: boolean): DecodedCode | string {
  return (onlyInstructions ? sweepCode(bytes) : undefined) ?? withReader(bytes, followJumps)
}

/** All instructions in a row; undefined where that does not come out even, so that some of the bytes must be data. */
export const sweepCode = (bytes: Uint8Array): DecodedCode | undefined => withReader(bytes, sweep)

function withReader<Result>(
  bytes: Uint8Array,
  decode: (reader: CodeReader, bytes: Uint8Array) => Result,
): Result {
  const reader = new CodeReader(bytes)
  try {
    return decode(reader, bytes)
  } finally {
    reader.release()
  }
}

class Builder {
  readonly rets: { offset: number; length: number }[] = []
  readonly targets = new Set<number>()
  readonly jumpsOut: JumpOut[] = []
  runsOn = false
  hiddenJumps = false
  readonly indirectTailJumps: { offset: number; length: number }[] = []
  changes: FlowChange[] | undefined
}

function sweep(reader: CodeReader, bytes: Uint8Array): DecodedCode | undefined {
  const code = new Builder()
  const changes: FlowChange[] = []
  const starts = new Uint8Array(bytes.length)
  let offset = 0
  let mayRunOn = true
  while (offset < bytes.length) {
    reader.decodeAt(offset)
    const { flow, length, target } = reader
    if (flow === Flow.invalid || flow === Flow.farReturn) return undefined
    starts[offset] = 1
    if (flow !== Flow.next) changes.push({ offset, length, flow, target })
    if (target !== undefined) {
      if (target >= 0 && target < bytes.length) code.targets.add(target)
      else code.jumpsOut.push({ offset, length, target, conditional: flow === Flow.conditionalJump })
    }
    if (flow === Flow.ret) code.rets.push({ offset, length })
    if (flow === Flow.indirectJump) {
      code.hiddenJumps ||= !isJumpThroughSlot(bytes, offset)
      if (!looksLikeJumpTable(bytes, offset)) code.indirectTailJumps.push({ offset, length })
    }
    mayRunOn = flow === Flow.next || flow === Flow.conditionalJump
    offset += length
  }
  const isStart = (target: number) => starts[target] === 1 || isBehindLock(bytes, starts, target)
  if (offset !== bytes.length || ![...code.targets].every(isStart)) return undefined
  code.runsOn = mayRunOn
  code.changes = changes
  return code
}

/** Only what direct jumps lead to from the first instruction. A sentence where that is not all there is. */
function followJumps(reader: CodeReader, bytes: Uint8Array): DecodedCode | string {
  const code = new Builder()
  const starts = new Uint8Array(bytes.length)
  const inside = new Uint8Array(bytes.length)
  const pending = [0]
  for (let start = pending.pop(); start !== undefined; start = pending.pop()) {
    let offset: number = start
    while (starts[offset] === 0) {
      if (isBehindLock(bytes, starts, offset)) break
      if (inside[offset] === 1) return 'its instructions overlap'
      reader.decodeAt(offset)
      const { flow, length, target } = reader
      if (flow === Flow.invalid || offset + length > bytes.length) return NOT_ONLY_INSTRUCTIONS
      if (flow === Flow.farReturn) return 'it leaves by a far return'
      starts[offset] = 1
      for (let i = offset + 1; i < offset + length; i++) {
        if (starts[i] === 1 && !isBehindLock(bytes, starts, i)) return 'its instructions overlap'
        inside[i] = 1
      }
      if (target !== undefined) {
        if (target >= 0 && target < bytes.length) {
          code.targets.add(target)
          pending.push(target)
        } else code.jumpsOut.push({ offset, length, target, conditional: flow === Flow.conditionalJump })
      }
      if (flow === Flow.ret) code.rets.push({ offset, length })
      if (flow === Flow.indirectJump) {
        if (!isJumpThroughSlot(bytes, offset)) return 'it jumps to places that its code does not name'
        code.indirectTailJumps.push({ offset, length })
      }
      if (flow !== Flow.next && flow !== Flow.conditionalJump && flow !== Flow.call) break
      offset += length
      if (offset === bytes.length) {
        if (flow !== Flow.call) code.runsOn = true
        break
      }
    }
  }
  return code
}

/** glibc jumps over the `lock` prefix of an instruction while there is one thread: both readings end at the same byte. */
const isBehindLock = (bytes: Uint8Array, starts: Uint8Array, offset: number) =>
  offset > 0 && bytes[offset - 1] === 0xf0 && starts[offset - 1] === 1

/** `jmp [rip + displacement]`: through a slot of the global offset table, as `-fno-plt` code tail-calls. */
function isJumpThroughSlot(bytes: Uint8Array, offset: number): boolean {
  const opcodeAt = bytes[offset] === 0xff ? offset : offset + 1
  return bytes[opcodeAt] === 0xff && bytes[opcodeAt + 1] === 0x25
}

/**
 * Tells a `switch` from a tail call through a pointer. With `-fcf-protection` the former is `notrack jmp`; without, its
 * table is indexed (`jmp [table + reg*8]`), or was just added to an offset that was read from it
 * (`movsxd`, `add`, `jmp reg`).
 */
function looksLikeJumpTable(bytes: Uint8Array, offset: number): boolean {
  if (bytes[offset] === 0x3e) return true
  const opcodeAt = bytes[offset] === 0xff ? offset : offset + 1
  const modrm = bytes[opcodeAt + 1] ?? 0
  if (modrm >> 6 !== 3) return (modrm & 7) === 4 && ((bytes[opcodeAt + 2] ?? 0) & 0xc0) === 0xc0
  const before = bytes.subarray(Math.max(0, offset - 12), offset)
  return before.some((byte, i) => byte === 0x01 || byte === 0x03 || (byte === 0x63 && i > 0))
}
