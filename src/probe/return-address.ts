/** Bytes of a function in which its prologue is looked for. */
const PROLOGUE_BYTES = 48
const FRAME_POINTER_SETUPS = [Buffer.of(0x48, 0x89, 0xe5), Buffer.of(0x48, 0x8b, 0xec)]

/**
 * Whether a function seems to read its own return address, as `__builtin_return_address(0)` does: it loads eight bytes
 * from where that lies, seen from the frame pointer or from the stack pointer after the prologue. A hooked return would
 * show it the kernel's address. Only prologues that a compiler writes in one piece are understood; to take an ordinary
 * load for such a one costs speed and nothing else.
 */
export function readsReturnAddress(code: Uint8Array): boolean {
  const { length, depth } = prologueOf(code)
  const head = Buffer.from(code.buffer, code.byteOffset, Math.min(code.length, PROLOGUE_BYTES))
  const hasFramePointer = FRAME_POINTER_SETUPS.some((setup) => head.includes(setup))
  for (let at = length; at + 4 <= code.length; at++) {
    // REX.W, perhaps REX.R: mov r64, [memory]
    if (code[at + 1] !== 0x8b || (code[at]! & 0xfb) !== 0x48) continue
    const modrm = code[at + 2]!
    if (hasFramePointer && (modrm & 0xc7) === 0x45 && code[at + 3] === 8) return true
    if ((modrm & 7) !== 4 || code[at + 3] !== 0x24) continue
    const mode = modrm >> 6
    if (mode === 0 && depth === 0 && at < PROLOGUE_BYTES) return true
    if (mode === 1 && depth > 0 && code[at + 4] === depth) return true
    if (mode === 2 && depth > 127 && displacementAt(code, at + 4) === depth) return true
  }
  return false
}

/** How many bytes the pushes and the `sub rsp` at the beginning take, and by how much they lower the stack pointer. */
function prologueOf(code: Uint8Array): { length: number; depth: number } {
  let at = code[0] === 0xf3 && code[1] === 0x0f && code[2] === 0x1e && code[3] === 0xfa ? 4 : 0
  let depth = 0
  for (;;) {
    const opcodeAt = code[at] === 0x41 ? at + 1 : at
    const opcode = code[opcodeAt] ?? 0
    if (opcode >= 0x50 && opcode <= 0x57) {
      depth += 8
      at = opcodeAt + 1
    } else if (code[at] === 0x48 && code[at + 1] === 0x83 && code[at + 2] === 0xec) {
      depth += code[at + 3] ?? 0
      at += 4
    } else if (code[at] === 0x48 && code[at + 1] === 0x81 && code[at + 2] === 0xec) {
      depth += displacementAt(code, at + 3)
      at += 7
    } else return { length: at, depth }
  }
}

function displacementAt(code: Uint8Array, at: number): number {
  return (
    (code[at] ?? 0) | ((code[at + 1] ?? 0) << 8) | ((code[at + 2] ?? 0) << 16) | ((code[at + 3] ?? 0) << 24)
  )
}
