import { UserError } from '../base/errors.ts'
import { BpfAttributes, bpf, cString } from '../sys/bpf.ts'
import { SystemCallError } from '../sys/libc.ts'
import type { BpfObject, BpfProgramCode } from './object.ts'

/** Attach types of enum bpf_attach_type, which a uprobe program must name when it is loaded. */
export const attachType = {
  none: 0,
  rawTracepoint: 23,
  iterator: 28,
  uprobeMulti: 48,
  uprobeSession: 57,
} as const

const programTypeKprobe = 2
const programTypeRawTracepoint = 17
const programTypeTracing = 26

/** What the sections of the object stand for. */
const sectionKinds: Readonly<Record<string, { type: number; attach: number }>> = {
  'uprobe.session': { type: programTypeKprobe, attach: attachType.uprobeSession },
  'uprobe.multi': { type: programTypeKprobe, attach: attachType.uprobeMulti },
  raw_tracepoint: { type: programTypeRawTracepoint, attach: attachType.none },
  // Followed by the tracepoint's name: its arguments are typed, so that kernel functions take them.
  tp_btf: { type: programTypeTracing, attach: attachType.rawTracepoint },
  // Followed by what it iterates over.
  iter: { type: programTypeTracing, attach: attachType.iterator },
}

const loadAttemptsMax = 10
const pseudoMapFd = 1
const pseudoMapValue = 2
const pseudoKernelFunction = 2

/** File descriptors and type ids that stand in for the names in an object's relocations. */
export interface Bindings {
  mapFd(name: string): number
  readonly constantsFd: number
  kernelFunctionId(name: string): number | undefined
  /** Type id of what a typed program attaches to: a tracepoint (`tp_btf`) or an iterator's target (`iter`). */
  attachedTypeId(section: string, name: string): number | undefined
}

/** Loads one program. @returns its file descriptor. @throws UserError with a summary of the verifier's log. */
export function loadProgram(object: BpfObject, name: string, bindings: Bindings): number {
  const code = object.programs.get(name)
  const [section = '', attachedTo] = code?.section.split('/') ?? []
  const kind = sectionKinds[section]
  if (code === undefined || kind === undefined) throw new UserError(`the BPF object has no program ${name}`)
  const instructions = relocated(code, bindings)
  const typeId = attachedTo === undefined ? 0 : bindings.attachedTypeId(section, attachedTo)
  if (typeId === undefined) throw new UserError(`this kernel has no ${section} ${attachedTo}`)
  const license = cString(object.license)
  const attributes = () =>
    new BpfAttributes(160)
      .u32(0, kind.type)
      .u32(4, instructions.length / 8)
      .pointer(8, instructions)
      .pointer(16, license)
      .text(48, name, 16)
      .u32(68, kind.attach)
      .u32(108, typeId)
  for (let attempt = 1; ; attempt++) {
    try {
      return bpf('programLoad', attributes())
    } catch (cause) {
      // The verifier gives up when a signal arrives for this thread: SIGCHLD, a resized terminal.
      const isInterrupted = cause instanceof SystemCallError && cause.code === 'EAGAIN'
      if (!isInterrupted || attempt === loadAttemptsMax) throw loadError(name, attributes(), cause)
    }
  }
}

/** Loads again with the verifier's log on, to say why. */
function loadError(name: string, attributes: BpfAttributes, cause: unknown): unknown {
  if (!(cause instanceof SystemCallError)) return cause
  if (cause.code === 'EPERM') return cause
  const log = Buffer.alloc(1 << 20)
  try {
    bpf('programLoad', attributes.u32(24, 1).u32(28, log.length).pointer(32, log))
  } catch {
    // Expected: the log is what is wanted.
  }
  const lines = log.toString('latin1', 0, log.indexOf(0)).trim().split('\n')
  const summary =
    lines.length > 1 ? `${lines.at(-2)} (${lines.length - 1} lines of the verifier's log omitted)` : lines[0]
  return new UserError(
    `the kernel refuses the BPF program ${name}: ${cause.code}: ${summary || 'no reason given'}`,
    {
      cause,
    },
  )
}

function relocated(code: BpfProgramCode, bindings: Bindings): Buffer {
  const instructions = Buffer.from(code.instructions)
  for (const { offset, target } of code.relocations()) {
    const setSource = (source: number) => {
      instructions[offset + 1] = (instructions[offset + 1]! & 15) | (source << 4)
    }
    if (target.kind === 'map') {
      setSource(pseudoMapFd)
      instructions.writeInt32LE(bindings.mapFd(target.name), offset + 4)
    } else if (target.kind === 'constants') {
      // The addend, an offset into the constants, is in the first half: the kernel wants it in the second.
      setSource(pseudoMapValue)
      instructions.writeInt32LE(instructions.readInt32LE(offset + 4), offset + 12)
      instructions.writeInt32LE(bindings.constantsFd, offset + 4)
    } else {
      const id = bindings.kernelFunctionId(target.name)
      if (id === undefined) throw new UserError(`this kernel has no function ${target.name}`)
      setSource(pseudoKernelFunction)
      instructions.writeInt16LE(0, offset + 2)
      instructions.writeInt32LE(id, offset + 4)
    }
  }
  return instructions
}
