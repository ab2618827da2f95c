/** The head of an x86-64 instruction: its prefixes and where its opcode is. */
export interface Head {
  /** Index of the first opcode byte, after all prefixes; for VEX, of the opcode after the VEX bytes. */
  readonly opcodeAt: number
  readonly opcode: number
  /** 0 for one-byte opcodes, 1 for `0f`, 2 for `0f 38`, 3 for `0f 3a`: as VEX numbers its maps. */
  readonly map: number
  /** The REX prefix, or 0. For VEX, a REX with the same R, X and B. */
  readonly rex: number
  readonly operandSize: boolean
  readonly addressSize: boolean
  /** `f2` or `f3`, the last of them; 0 without one. */
  readonly repeat: number
  /** A `lock` prefix, or a segment override other than fs and gs. */
  readonly refusedPrefix: boolean
  readonly vector: 'none' | 'vex' | 'evex'
}

const MAX_LENGTH = 15

/**
 * Splits an instruction's head off, in 64-bit mode (Intel SDM volume 2, chapter 2). Undefined where the bytes end before the
 * opcode, or hold more prefixes than an instruction can have.
 */
export function readHead(bytes: Uint8Array, at: number): Head | undefined {
  let operandSize = false
  let addressSize = false
  let repeat = 0
  let refusedPrefix = false
  let rex = 0
  let i = at
  for (; i < at + MAX_LENGTH; i++) {
    const byte = bytes[i]
    if (byte === undefined) return undefined
    if (byte >= 0x40 && byte <= 0x4f) {
      rex = byte
      continue
    }
    if (byte === 0x66) operandSize = true
    else if (byte === 0x67) addressSize = true
    else if (byte === 0xf2 || byte === 0xf3) repeat = byte
    else if (byte === 0xf0 || byte === 0x2e || byte === 0x36 || byte === 0x3e || byte === 0x26)
      refusedPrefix = true
    else if (byte !== 0x64 && byte !== 0x65) break
    // A REX prefix counts only directly before the opcode.
    rex = 0
  }
  const first = bytes[i]
  if (first === undefined) return undefined
  let vector: Head['vector'] = 'none'
  let map = 0
  let opcodeAt = i
  if (first === 0x0f) {
    const second = bytes[i + 1]
    map = second === 0x38 ? 2 : second === 0x3a ? 3 : 1
    opcodeAt += map === 1 ? 1 : 2
  } else if (first === 0xc4 || first === 0xc5) {
    vector = 'vex'
    const inverted = ~(bytes[i + 1] ?? 0)
    const isLong = first === 0xc4
    map = isLong ? (bytes[i + 1] ?? 0) & 0x1f : 1
    rex = 0x40 | ((inverted & 0x80) >> 5) | (isLong ? (inverted & 0x60) >> 5 : 0)
    opcodeAt += isLong ? 3 : 2
  } else if (first === 0x62) vector = 'evex'
  const opcode = bytes[opcodeAt]
  if (opcode === undefined) return undefined
  return { opcodeAt, opcode, map, rex, operandSize, addressSize, repeat, refusedPrefix, vector }
}

/** Bytes that a ModRM byte takes with its SIB byte and displacement; 0 where the bytes end before it does. */
export function modrmLength(bytes: Uint8Array, at: number): number {
  const modrm = bytes[at]
  if (modrm === undefined) return 0
  const mod = modrm >> 6
  const rm = modrm & 7
  if (mod === 3) return 1
  let length = 1
  let base = rm
  if (rm === 4) {
    const sib = bytes[at + 1]
    if (sib === undefined) return 0
    base = sib & 7
    length = 2
  }
  if (mod === 1) length += 1
  else if (mod === 2 || base === 5) length += 4
  return at + length <= bytes.length ? length : 0
}

/** The condition of a `jcc`: the low four bits of its opcode. `loop` and `jrcxz` count, and have none. */
export function jumpCondition(bytes: Uint8Array, at: number): number | undefined {
  const head = readHead(bytes, at)
  const isJcc = head !== undefined && head.opcode >> 4 === (head.map === 1 ? 8 : 7)
  return isJcc ? head.opcode & 15 : undefined
}
