import { createRequire } from 'node:module'
import type { Decoder, Instruction } from 'iced-x86'

type Iced = typeof import('iced-x86')

let iced: Iced | undefined

/** Loading the WASM module takes tens of milliseconds: only when something must be decoded, and once. */
function loadIced(): Iced {
  iced ??= createRequire(import.meta.url)('iced-x86') as Iced
  return iced
}

/** What an instruction does to the flow of control. 0 is kept for "no instruction starts here". */
export const Flow = {
  next: 1,
  jump: 2,
  conditionalJump: 3,
  indirectJump: 4,
  ret: 5,
  /** `ret far`, `iret`, `sysret`: leave in ways that no probe can follow. */
  farReturn: 6,
  /** `call`, direct or indirect, and `syscall`. */
  call: 7,
  /** `ud2`, `int3`, `hlt`: the program does not come past it. */
  trap: 8,
  invalid: 9,
} as const

/** Decodes one piece of code, at offsets of the caller's choice, through iced-x86 (WASM). */
export class CodeReader {
  /** Of the instruction decoded last, in bytes. */
  length = 0
  /** Of the instruction decoded last: a value of `Flow`. */
  flow: number = Flow.invalid
  /** Offset in the code that the last instruction, a direct jump, leads to; undefined for anything else. */
  target: number | undefined
  readonly #code: Uint8Array
  readonly #decoder: Decoder
  readonly #instruction: Instruction
  #position = 0

  constructor(code: Uint8Array) {
    const { Decoder, DecoderOptions, Instruction } = loadIced()
    this.#code = code
    this.#decoder = new Decoder(64, code, DecoderOptions.None)
    this.#instruction = new Instruction()
  }

  decodeAt(offset: number): void {
    const instruction = this.#instruction
    // Each access crosses into WASM: as few as needed.
    if (offset !== this.#position) this.#decoder.position = offset
    this.#decoder.decodeOut(instruction)
    this.length = instruction.length
    this.#position = offset + this.length
    this.flow = flowOf(instruction, this.#code, offset, this.length)
    const jumps = this.flow === Flow.jump || this.flow === Flow.conditionalJump
    this.target = jumps ? jumpTarget(this.#code, offset, this.length) : undefined
  }

  /** Frees the WASM objects; the reader can't be used afterwards. */
  release(): void {
    this.#decoder.free()
    this.#instruction.free()
  }
}

/** iced's `FlowControl` numbers, refined by the bytes where they say less than needed. */
function flowOf(instruction: Instruction, code: Uint8Array, offset: number, length: number): number {
  switch (instruction.flowControl) {
    case 0:
      return code[offset] === 0xf4 ? Flow.trap : Flow.next
    case 1:
      return Flow.jump
    case 2:
      return Flow.indirectJump
    case 3:
      return Flow.conditionalJump
    case 4:
      return isNearReturn(code, offset, length) ? Flow.ret : Flow.farReturn
    case 5:
    case 6:
      return Flow.call
    case 7:
      return code[offset] === 0xcc ? Flow.trap : Flow.call
    case 8:
      // Of the transaction instructions only `xbegin` names a place to go on at.
      return length >= 6 && code[offset] === 0xc7 ? Flow.conditionalJump : Flow.next
    default:
      return instruction.code === 0 ? Flow.invalid : Flow.trap
  }
}

/** `c3` or `c2 imm16`, behind any prefixes: `rep ret`, `bnd ret`. */
function isNearReturn(code: Uint8Array, offset: number, length: number): boolean {
  const end = offset + length
  const beforeImmediate = length >= 3 ? code[end - 3] : undefined
  return beforeImmediate === 0xc2 || (code[end - 1] === 0xc3 && beforeImmediate !== 0xca)
}

/** A direct jump ends in its displacement: 1 byte after `70`…`7f`, `eb`, `e0`…`e3`, 4 bytes after anything else. */
function jumpTarget(code: Uint8Array, offset: number, length: number): number {
  const end = offset + length
  const opcode = code[end - 2]!
  const isShort =
    length === 2 || (length < 5 && (opcode >> 4 === 7 || opcode === 0xeb || (opcode & 0xfc) === 0xe0))
  if (isShort) return end + ((code[end - 1]! << 24) >> 24)
  return end + (code[end - 4]! | (code[end - 3]! << 8) | (code[end - 2]! << 16) | (code[end - 1]! << 24))
}

/** An instruction as people write it, in Intel syntax: `push rbp`. `address` makes jump targets absolute. */
export function instructionText(code: Uint8Array, address: number): string {
  const { Decoder, DecoderOptions, Formatter, FormatterSyntax } = loadIced()
  const decoder = new Decoder(64, code, DecoderOptions.None)
  decoder.ip = BigInt(address)
  const instruction = decoder.decode()
  const formatter = new Formatter(FormatterSyntax.Nasm)
  formatter.hexPrefix = '0x'
  formatter.hexSuffix = ''
  formatter.spaceAfterOperandSeparator = true
  formatter.showBranchSize = false
  const text = instruction.code === 0 ? '(bad)' : formatter.format(instruction)
  for (const wasm of [decoder, instruction, formatter]) wasm.free()
  return text
}

/**
 * The general registers, by their numbers in the encoding, that the instructions before an offset write to, one after the
 * other; undefined if none begins at that offset.
 */
export function writtenBefore(code: Uint8Array, offset: number): ReadonlySet<number> | undefined {
  const { Decoder, DecoderOptions, Instruction, InstructionInfoFactory, OpAccess, RegisterExt } = loadIced()
  const decoder = new Decoder(64, code, DecoderOptions.None)
  const instruction = new Instruction()
  const factory = new InstructionInfoFactory()
  const written = new Set<number>()
  const reads: ReadonlySet<number> = new Set([
    OpAccess.None,
    OpAccess.Read,
    OpAccess.CondRead,
    OpAccess.NoMemAccess,
  ])
  try {
    while (decoder.position < offset) {
      decoder.decodeOut(instruction)
      if (instruction.code === 0) return undefined
      const info = factory.info(instruction)
      for (const used of info.usedRegisters()) {
        if (!reads.has(used.access) && RegisterExt.isGPR(used.register))
          written.add(RegisterExt.number(used.register))
        used.free()
      }
      info.free()
    }
    return decoder.position === offset ? written : undefined
  } finally {
    for (const wasm of [decoder, instruction, factory]) wasm.free()
  }
}
