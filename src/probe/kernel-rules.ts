import { type Head, readHead } from './encoding.ts'

/**
 * What the x86 kernel does with a probe on an instruction (arch/x86/kernel/uprobes.c):
 * - `everywhere`: emulates it, in all kernels (`branch_setup_xol_ops`, `push_setup_xol_ops`);
 * - `recent`: newer kernels emulate it, older ones single-step or refuse it (multi-byte nops, `insn_is_nop`);
 * - `stepped`: executes a copy of it under the trap flag;
 * - `refused`: attaching fails (`uprobe_init_insn`).
 */
export type Emulation = 'everywhere' | 'recent' | 'stepped' | 'refused'

/** How the kernel treats a probe on the instruction at `bytes[at]`. Truncated bytes are refused. */
export function emulationOf(
  bytes: Uint8Array,
  at = 0,
  head: Head | undefined = readHead(bytes, at),
): Emulation {
  if (head === undefined || head.refusedPrefix || head.vector === 'evex') return 'refused'
  const { opcode, map } = head
  if (head.vector === 'vex') return isGoodOneByte(opcode) ? 'stepped' : 'refused'
  if (map === 0) {
    if (!isGoodOneByte(opcode)) return 'refused'
    if (opcode === 0x90) return nopEmulation(bytes, at, head.repeat, head.operandSize, head.rex)
    if (opcode >= 0x50 && opcode <= 0x57) return isEmulatedPush(head.opcodeAt - at, head.rex)
    if (isShortBranch(opcode)) return head.operandSize ? 'refused' : 'everywhere'
    return 'stepped'
  }
  if (map === 1) {
    if (!isGoodTwoByte(opcode)) return 'refused'
    if (opcode >= 0x80 && opcode <= 0x8f) return head.operandSize ? 'refused' : 'everywhere'
    if (opcode === 0x1f && ((bytes[head.opcodeAt + 1] ?? 0xff) & 0x38) === 0) {
      return head.repeat === 0 ? 'recent' : 'stepped'
    }
  }
  return 'stepped'
}

function nopEmulation(
  bytes: Uint8Array,
  at: number,
  repeat: number,
  operandSize: boolean,
  rex: number,
): Emulation {
  if (bytes[at] === 0x90) return 'everywhere'
  // `xchg r8, rax` and `pause` share the opcode, and older kernels emulate both as a nop.
  if (rex & 1) return 'refused'
  return repeat === 0 && operandSize ? 'recent' : 'stepped'
}

/** Only the lone opcode, or REX.B alone before it: `push_setup_xol_ops`. */
const isEmulatedPush = (prefixLength: number, rex: number): Emulation =>
  prefixLength === 0 || (prefixLength === 1 && rex === 0x41) ? 'everywhere' : 'stepped'

/** `jcc rel8`, `call rel32`, `jmp rel32`, `jmp rel8`. */
const isShortBranch = (opcode: number) =>
  (opcode >= 0x70 && opcode <= 0x7f) || opcode === 0xe8 || opcode === 0xe9 || opcode === 0xeb

/** Complement of `good_insns_64`, and `mov ss`/`pop`-like loads of segment registers (`insn_masking_exception`). */
function isGoodOneByte(opcode: number): boolean {
  switch (opcode) {
    case 0x06:
    case 0x07:
    case 0x0e:
    case 0x16:
    case 0x17:
    case 0x1e:
    case 0x1f:
    case 0x27:
    case 0x2f:
    case 0x37:
    case 0x3f:
    case 0x60:
    case 0x61:
    case 0x62:
    case 0x6c:
    case 0x6d:
    case 0x6e:
    case 0x6f:
    case 0x82:
    case 0x8e:
    case 0x9a:
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf:
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xea:
    case 0xf0:
    case 0xf1:
    case 0xf4:
    case 0xfa:
    case 0xfb:
      return false
    default:
      // e4-e7 and ec-ef: port input and output.
      return (opcode & 0xf4) !== 0xe4
  }
}

/**
 * Complement of `good_2byte_insns`. Newer kernels let every `0f` opcode through; older ones do not, and what is left out
 * here (system instructions, `syscall`, `ud2`, `rdtscp`, fences) is no loss as an entry point.
 */
function isGoodTwoByte(opcode: number): boolean {
  switch (opcode) {
    case 0x00:
    case 0x01:
    case 0x05:
    case 0x06:
    case 0x07:
    case 0x08:
    case 0x09:
    case 0x0b:
    case 0x30:
    case 0x34:
    case 0x35:
    case 0x37:
    case 0x78:
    case 0x79:
    case 0xae:
      return false
    default:
      return true
  }
}
