import type { VirtualAddress } from '../base/units.ts'
import { writtenBefore } from './decoder.ts'
import { functionHolding, type ModuleCode } from './module-code.ts'

/** A part of a module's code, all of whose bytes are looked through. */
export interface CodeRange {
  readonly address: VirtualAddress
  readonly size: number
}

const RSP = 4
const RBP = 5
/** Registers that hold the first arguments of a function (System V ABI for x86-64, 3.2.3): rcx, rdx, rsi, rdi. */
const ARGUMENT_REGISTERS: ReadonlySet<number> = new Set([1, 2, 6, 7])
const CHUNK_BYTES = 1 << 20
/** The longest instruction (Intel SDM volume 2, 2.3.11), so that none is cut in two. */
const OVERLAP_BYTES = 15

/** Leaving frames for one further out on the same stack is no switch; nor is what static programs bring of the loader. */
const staysOnStack = /longjmp|^_dl_runtime_/

/**
 * A function that puts the thread on another stack, as hand-written coroutines do: it loads the stack pointer from where
 * neither the stack pointer nor the frame pointer leads, or takes it from an argument. What compilers generate for
 * `alloca` and variable-length arrays does neither.
 * @returns its linkage name, or where it is if it has none
 */
export function findStackSwitch(code: ModuleCode, ranges: readonly CodeRange[]): string | undefined {
  for (const range of ranges) {
    for (let start = 0; start < range.size; start += CHUNK_BYTES) {
      const address = (range.address + start) as VirtualAddress
      const bytes = code.read(address, Math.min(CHUNK_BYTES + OVERLAP_BYTES, range.size - start))
      const found = bytes && findIn(bytes, address, code)
      if (found !== undefined) return found
    }
  }
  return undefined
}

function findIn(bytes: Uint8Array, address: VirtualAddress, code: ModuleCode): string | undefined {
  for (let at = 0; at + 3 < bytes.length; at++) {
    // REX.W without REX.R: of the registers that the field `reg` names, 4 is the stack pointer. And fast: it is all code.
    if ((bytes[at]! & 0xfc) !== 0x48) continue
    const modrm = bytes[at + 2]!
    if ((modrm & 0x38) !== RSP << 3 && (modrm & 0xc7) !== (0xc0 | RSP)) continue
    const suspect = suspectAt(bytes, at)
    if (suspect === undefined) continue
    const name = confirmed((address + at) as VirtualAddress, suspect, code)
    if (name !== undefined && !staysOnStack.test(name)) return name
  }
  return undefined
}

/** `load`: the stack pointer is read from memory. A number: it is set to that register. */
type Suspect = 'load' | number

/** What the bytes at a place would do to the stack pointer if an instruction began there. */
function suspectAt(bytes: Uint8Array, at: number): Suspect | undefined {
  const rex = bytes[at]!
  const opcode = bytes[at + 1]!
  const modrm = bytes[at + 2]!
  const mode = modrm >> 6
  const reg = (modrm >> 3) & 7
  const rm = modrm & 7
  const extendsBase = (rex & 1) !== 0
  if (mode === 3) {
    // mov rsp, register, in both encodings.
    if (opcode === 0x89 && rm === RSP && !extendsBase && ARGUMENT_REGISTERS.has(reg)) return reg
    if (opcode === 0x8b && reg === RSP && !extendsBase && ARGUMENT_REGISTERS.has(rm)) return rm
    return undefined
  }
  // mov rsp, [memory] and xchg [memory], rsp.
  if ((opcode !== 0x8b && opcode !== 0x87) || reg !== RSP) return undefined
  const hasSib = rm === 4
  const base = hasSib ? bytes[at + 3]! & 7 : rm
  const isOwnFrame = !extendsBase && (base === RSP ? hasSib : base === RBP && mode !== 0)
  return isOwnFrame ? undefined : 'load'
}

/** The name of the function of which the suspect is an instruction, if it is one. */
function confirmed(address: VirtualAddress, suspect: Suspect, code: ModuleCode): string | undefined {
  const symbol = functionHolding(code.functions, address)
  const range = symbol ?? code.unwind.lookup(address)
  if (range === undefined) return undefined
  const bytes = code.read(range.address, address - range.address + OVERLAP_BYTES)
  const written = bytes && writtenBefore(bytes, address - range.address)
  if (written === undefined || (suspect !== 'load' && written.has(suspect))) return undefined
  return symbol?.symbol ?? `the code at 0x${range.address.toString(16)}`
}
