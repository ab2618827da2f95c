import { readHead } from './encoding.ts'
import { stepOver } from './entry-block.ts'

/** Bytes of a function in which its prologue is looked for. */
const PROLOGUE_BYTES = 48
/** Opcode of `mov` from memory. */
const LOAD = 0x8b
const FRAME_POINTER_SETUPS = [Buffer.of(0x48, 0x89, 0xe5), Buffer.of(0x48, 0x8b, 0xec)]

/**
 * Whether a function seems to read its own return address, as `__builtin_return_address(0)` does: it loads eight bytes
 * from where that lies, seen from the frame pointer or from the stack pointer in or after the prologue. A hooked return
 * would show it the kernel's address. To take an ordinary load for such a one costs speed and nothing else.
 */
export function readsReturnAddress(code: Uint8Array): boolean {
  const head = Buffer.from(code.buffer, code.byteOffset, Math.min(code.length, PROLOGUE_BYTES))
  const hasFramePointer = FRAME_POINTER_SETUPS.some((setup) => head.includes(setup))
  let depth = 0
  let at = 0
  // In the prologue each load is seen with the stack pointer that it has.
  for (let step = stepAt(code, at); step !== undefined; step = stepAt(code, at)) {
    if (loadsReturnAddress(code, at, depth, hasFramePointer)) return true
    depth += step.lowers
    at += step.length
  }
  for (at = code.indexOf(LOAD, at + 1); at >= 0; at = code.indexOf(LOAD, at + 1)) {
    if (loadsReturnAddress(code, at - 1, depth, hasFramePointer)) return true
  }
  return false
}

function stepAt(code: Uint8Array, at: number) {
  const head = readHead(code, at)
  return head && stepOver(code, at, head)
}

function loadsReturnAddress(code: Uint8Array, at: number, depth: number, hasFramePointer: boolean): boolean {
  // REX.W, perhaps REX.R: mov r64, [memory]
  if (code[at + 1] !== LOAD || (code[at]! & 0xfb) !== 0x48) return false
  const modrm = code[at + 2]!
  if (hasFramePointer && (modrm & 0xc7) === 0x45 && code[at + 3] === 8) return true
  if ((modrm & 7) !== 4 || code[at + 3] !== 0x24) return false
  const mode = modrm >> 6
  if (mode === 0) return depth === 0 && at < PROLOGUE_BYTES
  if (mode === 1) return depth > 0 && code[at + 4] === depth
  return mode === 2 && depth > 127 && displacementAt(code, at + 4) === depth
}

function displacementAt(code: Uint8Array, at: number): number {
  return (
    (code[at] ?? 0) | ((code[at + 1] ?? 0) << 8) | ((code[at + 2] ?? 0) << 16) | ((code[at + 3] ?? 0) << 24)
  )
}
