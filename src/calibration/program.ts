import { asFileOffset, type FileOffset } from '../base/units.ts'

/** What a probed function of the program looks like. */
interface Shape {
  readonly code: readonly number[]
  /** Where its exit carries a probe, if it does: an index into `code`. */
  readonly exitAt?: number
}

const pushRbp = 0x55
const popRbp = 0x5d
const ret = 0xc3
const pushPop = [pushRbp, popRbp, ret]

/** The functions of the program, each entered through its first instruction. */
const shapes = {
  /** Entered by an instruction that the kernel emulates; its return is not seen. */
  emulated: { code: pushPop },
  /** `endbr64` is single-stepped. */
  stepped: { code: [0xf3, 0x0f, 0x1e, 0xfa, ret] },
  /** A nop of five bytes: recent kernels replace its breakpoint by a call. */
  nop: { code: [0x0f, 0x1f, 0x44, 0x00, 0x00, ret] },
  /** Its return is hooked. */
  hooked: { code: pushPop },
  /** Counts as a call into a library: the probe looks at who has called. */
  libraryCall: { code: pushPop },
  /** Its `ret` is probed. */
  ret: { code: pushPop, exitAt: 2 },
  /** It leaves by a jump, which is probed: `jmp` to the `ret` behind it. */
  jump: { code: [pushRbp, popRbp, 0xeb, 0x00, ret], exitAt: 2 },
} as const satisfies Readonly<Record<string, Shape>>

export type ShapeName = keyof typeof shapes
export const shapeNames = Object.keys(shapes) as readonly ShapeName[]

export interface CalibrationProgram {
  /** An ELF file. */
  readonly bytes: Uint8Array
  readonly functions: readonly {
    readonly name: ShapeName
    readonly entry: FileOffset
    readonly exit: FileOffset | undefined
  }[]
}

export const loadAddress = 0x400000
const headerBytes = 64
const segmentBytes = 56
const codeAt = headerBytes + segmentBytes

/**
 * A program that waits for a byte (or the end) on its standard input, then calls each of the functions `batch` times,
 * the whole `rounds` times, and exits. It is assembled here because there is no compiler where utrace runs.
 */
export function calibrationProgram(rounds: number, batch: number): CalibrationProgram {
  const functionCode: number[] = []
  const starts = new Map<ShapeName, number>()
  for (const name of shapeNames) {
    starts.set(name, codeAt + functionCode.length)
    functionCode.push(...shapes[name].code)
    // On a cache line of its own.
    while (functionCode.length % 64 !== 0) functionCode.push(0xcc)
  }
  const main = mainCode(codeAt + functionCode.length, [...starts.values()], rounds, batch)
  const code = [...functionCode, ...main]
  const functions = shapeNames.map((name) => {
    const { exitAt }: Shape = shapes[name]
    const start = starts.get(name)!
    const exit = exitAt === undefined ? undefined : asFileOffset(start + exitAt)
    return { name, entry: asFileOffset(start), exit }
  })
  return { bytes: elfFile(code, codeAt + functionCode.length), functions }
}

/** @param at file offset where the code will lie */
function mainCode(at: number, functions: readonly number[], rounds: number, batch: number): number[] {
  const code = [
    ...[0x31, 0xc0], // xor eax, eax: read
    ...[0x31, 0xff], // xor edi, edi: standard input
    ...[0x48, 0x89, 0xe6], // mov rsi, rsp
    ...[0xba, ...u32(1)], // mov edx, 1
    ...[0x0f, 0x05], // syscall
    ...[0x41, 0xbc, ...u32(rounds)], // mov r12d, rounds
  ]
  const round = code.length
  for (const start of functions) {
    code.push(0xbb, ...u32(batch)) // mov ebx, batch
    code.push(0xe8, ...u32(start - (at + code.length + 5))) // call
    code.push(0xff, 0xcb) // dec ebx
    code.push(0x75, 0xf7) // jnz: back to the call
  }
  code.push(0x41, 0xff, 0xcc) // dec r12d
  code.push(0x0f, 0x85, ...u32(round - (code.length + 6))) // jnz: the next round
  code.push(0xb8, ...u32(60), 0x31, 0xff, 0x0f, 0x05) // exit(0)
  return code
}

/** One segment that holds the file as it is. Layout: System V ABI, "Object Files". */
function elfFile(code: readonly number[], entryOffset: number): Uint8Array {
  const bytes = new Uint8Array(codeAt + code.length)
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  const view = new DataView(bytes.buffer)
  view.setUint16(16, 2, true) // ET_EXEC
  view.setUint16(18, 62, true) // EM_X86_64
  view.setUint32(20, 1, true)
  view.setUint32(24, loadAddress + entryOffset, true)
  view.setUint32(32, headerBytes, true) // e_phoff
  view.setUint16(52, headerBytes, true)
  view.setUint16(54, segmentBytes, true)
  view.setUint16(56, 1, true) // e_phnum
  view.setUint32(headerBytes, 1, true) // PT_LOAD
  view.setUint32(headerBytes + 4, 5, true) // read, execute
  view.setUint32(headerBytes + 16, loadAddress, true)
  view.setUint32(headerBytes + 24, loadAddress, true)
  view.setUint32(headerBytes + 32, bytes.length, true)
  view.setUint32(headerBytes + 40, bytes.length, true)
  view.setUint32(headerBytes + 48, 0x1000, true)
  bytes.set(code, codeAt)
  return bytes
}

function u32(value: number): number[] {
  return [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >> 24) & 0xff]
}
