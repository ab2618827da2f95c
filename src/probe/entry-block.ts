import { type Head, modrmLength, readHead } from './encoding.ts'
import { type Emulation, emulationOf } from './kernel-rules.ts'

/** An instruction of a function's entry block: it runs once per call unless something jumps to it or before it. */
export interface Candidate {
  /** Bytes from the function's first instruction. */
  readonly offset: number
  /** Bytes by which the stack pointer lies below its value at the function's first instruction. */
  readonly stackDisplacement: number
  readonly emulation: Emulation
  /** An instruction before it touches memory that may not be there: a call may end in a fault before it comes here. */
  readonly mayFaultBefore: boolean
  /** A nop of five bytes: newer kernels replace it by a call, and no trap is needed any more. */
  readonly isNop5: boolean
  /** It lowers the stack pointer by itself: a loop through it would need a `pop` on its way back. */
  readonly isPush: boolean
}

export interface Step {
  readonly length: number
  /** Bytes by which the instruction lowers the stack pointer. */
  readonly lowers: number
  /** It reads or writes memory, be it on the stack. */
  readonly mayFault?: boolean
}

const MAX_CANDIDATES = 24

/**
 * The instructions at which a call of the function may be counted, in program order, as far as none of those before can
 * leave the function, serialise, raise an arithmetic exception, or move the stack pointer by an amount that is not in
 * the code. Behind an access to memory, which may fault, the stack pointer has to stay as it was: then whoever is told
 * of the fault knows which call it was that began (`mayFaultBefore`).
 */
export function entryCandidates(bytes: Uint8Array): Candidate[] {
  const candidates: Candidate[] = []
  let offset = 0
  let stackDisplacement = 0
  let mayFaultBefore = false
  while (candidates.length < MAX_CANDIDATES && offset < bytes.length) {
    const head = readHead(bytes, offset)
    if (head === undefined) break
    const isPush = head.map === 0 && head.vector === 'none' && head.opcode >= 0x50 && head.opcode <= 0x57
    const isNop5 = isNop5At(bytes, offset, head)
    // The call that takes its place overwrites what a leaf function may have stored below the stack pointer.
    const emulation = isNop5 && mayFaultBefore ? 'refused' : emulationOf(bytes, offset, head)
    candidates.push({ offset, stackDisplacement, emulation, mayFaultBefore, isNop5, isPush })
    // No later one can be better.
    if (isPush && emulation === 'everywhere') break
    const step = stepOver(bytes, offset, head)
    if (step === undefined || offset + step.length > bytes.length) break
    offset += step.length
    stackDisplacement += step.lowers
    mayFaultBefore ||= step.mayFault === true
    if (mayFaultBefore && stackDisplacement !== 0) break
  }
  return candidates
}

/** `0f 1f` with an operand that makes it five bytes long: `can_optimize` in the kernel's arch/x86/kernel/uprobes.c. */
function isNop5At(bytes: Uint8Array, at: number, head: Head): boolean {
  const isNop = head.map === 1 && head.opcode === 0x1f && head.vector === 'none' && head.repeat === 0
  return isNop && head.opcodeAt + 1 + modrmLength(bytes, head.opcodeAt + 1) - at === 5
}

/** Length and effect of an instruction that a call may pass before it is counted; undefined for any other. */
export function stepOver(bytes: Uint8Array, at: number, head: Head): Step | undefined {
  if (head.refusedPrefix || head.addressSize) return undefined
  if (head.vector === 'evex') return bytes[at] === 0x62 ? evexRegisters(bytes, at) : undefined
  if (head.vector === 'vex') return vexRegisters(bytes, at, head)
  return head.map === 0 ? oneByte(bytes, at, head) : head.map === 1 ? twoByte(bytes, at, head) : undefined
}

const RSP = 4

function oneByte(bytes: Uint8Array, at: number, head: Head): Step | undefined {
  const { opcode, opcodeAt, rex } = head
  if (head.repeat !== 0) return undefined
  const end = opcodeAt + 1
  const done = (length: number): Step => ({ length, lowers: 0 })
  if (opcode >= 0x50 && opcode <= 0x57) {
    return head.operandSize ? undefined : { length: end - at, lowers: 8 }
  }
  if (opcode === 0x90 || opcode === 0x98 || opcode === 0x99) return done(end - at)
  if (opcode === 0xf5 || opcode === 0xf8 || opcode === 0xf9) return done(end - at)
  // REX.W beats the operand-size prefix.
  const immediate = head.operandSize && !(rex & 8) ? 2 : 4
  if (opcode === 0xa8) return done(end + 1 - at)
  if (opcode === 0xa9) return done(end + immediate - at)
  if (opcode < 0x40 && (opcode & 7) === 4) return done(end + 1 - at)
  if (opcode < 0x40 && (opcode & 7) === 5) return done(end + immediate - at)
  if (opcode >= 0xb0 && opcode <= 0xbf) {
    if ((opcode & 7) === RSP && !(rex & 1)) return undefined
    return done(end + (opcode < 0xb8 ? 1 : rex & 8 ? 8 : immediate) - at)
  }
  if (opcode === 0x8d) return loadAddress(bytes, at, head)
  if (opcode === 0x81 || opcode === 0x83) {
    const stack = adjustStack(bytes, at, head)
    if (stack !== undefined) return stack
  }
  const modrm = bytes[end]
  const immediateBytes = immediateBytesOf(opcode, modrm ?? 0, immediate)
  if (immediateBytes === undefined || modrm === undefined) return undefined
  if (modrm >> 6 !== 3) return memoryForm(bytes, at, head, immediateBytes)
  return namesHarmlessRegisters(opcode, modrm, rex) ? done(end + 1 + immediateBytes - at) : undefined
}

/** An integer instruction of `immediateBytesOf` with one operand in memory. */
function memoryForm(bytes: Uint8Array, at: number, head: Head, immediateBytes: number): Step | undefined {
  const { opcode, opcodeAt, rex } = head
  // `xchg` with memory is locked, whether it says so or not.
  if (opcode === 0x86 || opcode === 0x87) return undefined
  const modrm = bytes[opcodeAt + 1]!
  const regIsOpcode = (opcode >= 0x80 && opcode <= 0x83) || opcode >= 0xc0
  const regIsStack = ((modrm >> 3) & 7) === RSP && !(rex & 4)
  if (!regIsOpcode && regIsStack) return undefined
  return memoryStep(bytes, at, opcodeAt + 1, immediateBytes)
}

/** Length of an instruction with its operand in memory; undefined where the bytes end before it does. */
function memoryStep(bytes: Uint8Array, at: number, modrmAt: number, immediateBytes = 0): Step | undefined {
  const operand = modrmLength(bytes, modrmAt)
  if (operand === 0) return undefined
  return { length: modrmAt + operand + immediateBytes - at, lowers: 0, mayFault: true }
}

/** Immediate bytes of an integer instruction that raises no exception but for a fault of its operand in memory. */
function immediateBytesOf(opcode: number, modrm: number, immediate: number): number | undefined {
  const reg = (modrm >> 3) & 7
  if (opcode < 0x40) return (opcode & 7) < 4 ? 0 : undefined
  switch (opcode) {
    case 0x63:
    case 0x84:
    case 0x85:
    case 0x86:
    case 0x87:
    case 0x88:
    case 0x89:
    case 0x8a:
    case 0x8b:
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3:
      return 0
    case 0x69:
    case 0x81:
      return immediate
    case 0x6b:
    case 0x80:
    case 0x83:
    case 0xc0:
    case 0xc1:
      return 1
    case 0xc6:
      return reg === 0 ? 1 : undefined
    case 0xc7:
      return reg === 0 ? immediate : undefined
    // Group 3: test takes an immediate; div and idiv (6, 7) can fault.
    case 0xf6:
      return reg === 0 ? 1 : reg >= 2 && reg <= 5 ? 0 : undefined
    case 0xf7:
      return reg === 0 ? immediate : reg >= 2 && reg <= 5 ? 0 : undefined
    case 0xfe:
    case 0xff:
      return reg <= 1 ? 0 : undefined
    default:
      return undefined
  }
}

/** Two register operands, of which none that is written is the stack pointer (told coarsely). */
function namesHarmlessRegisters(opcode: number, modrm: number, rex: number): boolean {
  const rmIsStack = (modrm & 7) === RSP && !(rex & 1)
  const regIsStack = ((modrm >> 3) & 7) === RSP && !(rex & 4)
  if (opcode === 0x89) return !rmIsStack
  if (opcode === 0x8b) return !regIsStack
  const isTest = (opcode === 0xf6 || opcode === 0xf7) && ((modrm >> 3) & 7) === 0
  const comparesOnly =
    isTest || opcode === 0x84 || opcode === 0x85 || opcode === 0xa8 || (opcode >= 0x38 && opcode < 0x40)
  if (comparesOnly) return true
  const regIsOpcode = (opcode >= 0x80 && opcode <= 0x83) || opcode >= 0xc0
  return !rmIsStack && (regIsOpcode || !regIsStack)
}

/** `sub rsp, imm` and `add rsp, imm`; undefined for anything else. */
function adjustStack(bytes: Uint8Array, at: number, head: Head): Step | undefined {
  const modrm = bytes[head.opcodeAt + 1] ?? 0
  const isStack = modrm >> 6 === 3 && (modrm & 7) === RSP && (head.rex & 9) === 8
  const operation = (modrm >> 3) & 7
  if (!isStack || (operation !== 5 && operation !== 0)) return undefined
  const immediateAt = head.opcodeAt + 2
  const wide = head.opcode === 0x81
  const length = immediateAt + (wide ? 4 : 1) - at
  if (at + length > bytes.length) return undefined
  const amount = wide ? readInt32(bytes, immediateAt) : (bytes[immediateAt]! << 24) >> 24
  return lowering(length, operation === 5 ? amount : -amount)
}

/** `lea`: computes, never touches memory. Into the stack pointer only as `lea rsp, [rsp + displacement]`. */
function loadAddress(bytes: Uint8Array, at: number, head: Head): Step | undefined {
  const modrmAt = head.opcodeAt + 1
  const modrm = bytes[modrmAt] ?? 0xff
  const operand = modrmLength(bytes, modrmAt)
  if (operand === 0 || modrm >> 6 === 3) return undefined
  const length = modrmAt + operand - at
  const intoStack = ((modrm >> 3) & 7) === RSP && !(head.rex & 4)
  if (!intoStack) return { length, lowers: 0 }
  const fromStackOnly = (modrm & 7) === RSP && bytes[modrmAt + 1] === 0x24 && (head.rex & 0xb) === 8
  if (!fromStackOnly) return undefined
  if (modrm >> 6 === 1) return lowering(length, -((bytes[modrmAt + 2]! << 24) >> 24))
  return modrm >> 6 === 2 ? lowering(length, -readInt32(bytes, modrmAt + 2)) : undefined
}

/** A stack pointer above its entry value would let a signal handler overwrite the return address: no function does it. */
const lowering = (length: number, lowers: number): Step | undefined =>
  lowers < 0 ? undefined : { length, lowers }

const readInt32 = (bytes: Uint8Array, at: number) =>
  bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)

function twoByte(bytes: Uint8Array, at: number, head: Head): Step | undefined {
  const { opcode, opcodeAt, rex } = head
  const modrmAt = opcodeAt + 1
  const modrm = bytes[modrmAt]
  if (opcode === 0x1e && head.repeat === 0xf3 && modrm === 0xfa)
    return { length: modrmAt + 1 - at, lowers: 0 }
  if (opcode === 0x1f) {
    const operand = modrmLength(bytes, modrmAt)
    return operand === 0 ? undefined : { length: modrmAt + operand - at, lowers: 0 }
  }
  // bswap, of any register but the stack pointer
  if ((opcode & 0xf8) === 0xc8)
    return (opcode & 7) === RSP && !(rex & 1) ? undefined : { length: modrmAt - at, lowers: 0 }
  if (modrm === undefined) return undefined
  const inMemory = modrm >> 6 !== 3
  if (inMemory && isUnalignedVectorMove(head)) return memoryStep(bytes, at, modrmAt)
  const step = inMemory ? memoryStep(bytes, at, modrmAt) : { length: modrmAt + 1 - at, lowers: 0 }
  if (step === undefined) return undefined
  const rmIsStack = !inMemory && (modrm & 7) === RSP && !(rex & 1)
  if (isVectorMove(head)) {
    if (inMemory) return undefined
    const movesToInteger = opcode === 0x7e && head.repeat === 0
    return movesToInteger && rmIsStack ? undefined : step
  }
  // pshufd, with its immediate
  if (opcode === 0x70 && head.operandSize && head.repeat === 0 && !inMemory)
    return { length: modrmAt + 2 - at, lowers: 0 }
  const isScan = opcode === 0xbc || opcode === 0xbd
  if (head.repeat !== 0 && !isScan) return undefined
  if (opcode >= 0x90 && opcode <= 0x9f) return rmIsStack ? undefined : step
  const writesReg = (opcode >= 0x40 && opcode <= 0x4f) || isScan || isWidening(opcode) || opcode === 0xaf
  const regIsStack = ((modrm >> 3) & 7) === RSP && !(rex & 4)
  return writesReg && !regIsStack ? step : undefined
}

/** `movzx`, `movsx`. */
const isWidening = (opcode: number) =>
  opcode === 0xb6 || opcode === 0xb7 || opcode === 0xbe || opcode === 0xbf

/**
 * Operations on integers in SSE registers, bitwise ones and moves: no floating-point exception can come of them. Their MMX
 * namesakes (without a prefix) can bring a pending x87 exception to light.
 */
function isVectorMove({ opcode, operandSize, repeat }: Head): boolean {
  switch (opcode) {
    case 0x10:
    case 0x11:
      return true
    case 0x28:
    case 0x29:
    case 0x54:
    case 0x55:
    case 0x56:
    case 0x57:
      return repeat === 0
    case 0x6f:
    case 0x7f:
    case 0x7e:
      return repeat === 0xf3 || (operandSize && repeat === 0)
    default:
      return operandSize && repeat === 0 && (opcode === 0x6e || opcode === 0xd6 || isIntegerVector(opcode))
  }
}

/** Of the `66 0f` opcodes, those of integer operations on registers that take no immediate: `punpck*`, `pcmp*`, `padd*`. */
function isIntegerVector(opcode: number): boolean {
  if (opcode >= 0x60 && opcode <= 0x6d) return true
  if (opcode >= 0x74 && opcode <= 0x76) return true
  // Between them: cvttpd2dq, which is of floats, and stores.
  return opcode >= 0xd1 && opcode <= 0xfe && ![0xd6, 0xd7, 0xe6, 0xe7, 0xf0, 0xf7].includes(opcode)
}

/** Of the `66 0f 38` opcodes: `vpbroadcast*` from a vector register. */
const isBroadcast = (opcode: number) => [0x58, 0x59, 0x78, 0x79].includes(opcode)

/** `movups`, `movss`, `movsd`, `movupd`, `movdqu`, `movq`, `movd`: no misalignment can make one of them fault. */
function isUnalignedVectorMove({ opcode, operandSize, repeat }: Head): boolean {
  if (opcode === 0x10 || opcode === 0x11) return true
  if (opcode === 0x6f || opcode === 0x7f) return repeat === 0xf3
  if (opcode === 0x7e) return repeat === 0xf3 || (operandSize && repeat === 0)
  return (opcode === 0x6e || opcode === 0xd6) && operandSize && repeat === 0
}

/** What code built for AVX does to vector registers before anything else: clear, copy, spread. */
function vexRegisters(bytes: Uint8Array, at: number, head: Head): Step | undefined {
  const { opcode, opcodeAt, map } = head
  const modrm = bytes[opcodeAt + 1]
  const prefix = bytes[opcodeAt - 1]! & 3
  // A legacy or REX prefix before VEX is an invalid instruction.
  const isPlain = bytes[at] === 0xc5 || bytes[at] === 0xc4
  if (!isPlain || modrm === undefined || modrm >> 6 !== 3) return undefined
  const clears = map === 1 && ((opcode === 0x57 && prefix <= 1) || (opcode === 0xef && prefix === 1))
  const isMove = map === 1 && prefix === 1 && opcode === 0x6e && isUnusedSource(bytes, opcodeAt)
  const spreads = map === 2 && prefix === 1 && isBroadcast(opcode) && isUnusedSource(bytes, opcodeAt)
  return clears || isMove || spreads ? { length: opcodeAt + 2 - at, lowers: 0 } : undefined
}

/** VEX: `vvvv` is 1111 and L is what the operation allows, or it is an invalid instruction. */
function isUnusedSource(bytes: Uint8Array, opcodeAt: number): boolean {
  const last = bytes[opcodeAt - 1]!
  const isWide = bytes[opcodeAt - 3] === 0xc4 && (last & 0x80) !== 0
  const isLong = (last & 4) !== 0
  const isMove = bytes[opcodeAt] === 0x6e
  return (last & 0x78) === 0x78 && !(isMove ? isLong : isWide)
}

/** `vpxord` and `vpxorq` between registers, without a mask: with these the AVX-512 variants of glibc clear one. */
function evexRegisters(bytes: Uint8Array, at: number): Step | undefined {
  const [first, second, third, opcode, modrm] = bytes.subarray(at + 1, at + 6)
  if (modrm === undefined || modrm >> 6 !== 3 || opcode !== 0xef) return undefined
  // Map 1; a fixed bit and the prefix 66; no zeroing, broadcast or mask, and a length below 3.
  const isPlain = (first! & 0x0f) === 1 && (second! & 7) === 5 && (third! & 0x97) === 0
  return isPlain && (third! & 0x60) !== 0x60 ? { length: 6, lowers: 0 } : undefined
}
