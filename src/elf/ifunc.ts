import { createRequire } from 'node:module'
import { ByteReader } from '../base/byte-reader.ts'
import { asVirtualAddress, type VirtualAddress } from '../base/units.ts'
import { segmentAt } from './address.ts'
import type { ElfImage } from './image.ts'
import { relativePointers } from './relative-pointers.ts'
import { readUnwindTable, type UnwindTable } from './unwind-table.ts'

type Iced = typeof import('iced-x86')

let iced: Iced | undefined

/** Resolvers are small: what has not returned after so much code is not understood. */
const MAX_INSTRUCTIONS = 4096

/**
 * The implementations that an `STT_GNU_IFUNC` resolver can return: every function whose address its code takes, by
 * `lea`, as a constant, or from a pointer that the dynamic linker fills in. Jumps are followed, calls are not.
 * Only starts of functions are given where the unwind table knows them. May be empty: resolvers of vDSO functions
 * (`time`, `gettimeofday`) look their result up at run time.
 * @param size bytes of the resolver, as its symbol says
 */
export function ifuncImplementations(
  elf: ElfImage,
  resolver: VirtualAddress,
  size: number,
): VirtualAddress[] {
  const unwind = readUnwindTable(elf)
  const found = new Set<number>()
  const addAll = (references: readonly Reference[]) => {
    for (const { address, isLoad } of references) {
      const target = isLoad ? pointerAt(elf, address) : address
      if (target !== undefined && isFunctionStart(elf, unwind, target)) found.add(target)
    }
  }
  if (!unwind.isEmpty) addAll(possibleReferences(elf.bytesAt(resolver, size), resolver))
  // What the bytes alone do not tell needs a decoder, which takes long to load.
  if (found.size < fewestImplementations) addAll(codeReferences(elf, resolver, size))
  found.delete(resolver)
  return [...found].sort((a, b) => a - b).map(asVirtualAddress)
}

/** A resolver chooses. */
const fewestImplementations = 2

/**
 * Everything that the bytes, read at any offset, could refer to by `lea` or `mov` with `[rip + displacement]`: a superset,
 * of which hardly any wrong one is, or leads to, the start of a function.
 */
function possibleReferences(code: Uint8Array, address: number): Reference[] {
  const found: Reference[] = []
  const view = new DataView(code.buffer, code.byteOffset, code.length)
  for (let at = 0; at + 7 <= code.length; at++) {
    const opcode = code[at + 1]
    if ((code[at]! & 0xfb) !== 0x48 || (opcode !== 0x8d && opcode !== 0x8b) || (code[at + 2]! & 0xc7) !== 5)
      continue
    found.push({ address: address + at + 7 + view.getInt32(at + 3, true), isLoad: opcode === 0x8b })
  }
  return found
}

/** In an executable at a fixed address pointers are in the file as they are. */
function pointerAt(elf: ElfImage, address: number): number | undefined {
  if (elf.facts.type === 'executable') return new ByteReader(elf.bytesAt(address, 8)).u64()
  return relativePointers(elf).get(address)
}

/** An address that an instruction computes, or (`isLoad`) loads a pointer from. */
interface Reference {
  readonly address: number
  readonly isLoad: boolean
}

/** Decodes what is reachable from an address by falling through and by direct jumps. */
function codeReferences(elf: ElfImage, start: number, size: number): Reference[] {
  iced ??= createRequire(import.meta.url)('iced-x86') as Iced
  const { Code, Decoder, DecoderOptions, FlowControl, Mnemonic, OpKind } = iced
  const references: Reference[] = []
  const seen = new Set<number>()
  const pending = [start]
  let budget = MAX_INSTRUCTIONS
  for (let from = pending.pop(); from !== undefined; from = pending.pop()) {
    const inside = from >= start && from < start + size
    const bytes = elf.bytesAt(from, inside ? start + size - from : MAX_INSTRUCTIONS)
    const decoder = new Decoder(64, bytes, DecoderOptions.None)
    decoder.ip = BigInt(from)
    while (decoder.canDecode && budget-- > 0 && !seen.has(Number(decoder.ip))) {
      seen.add(Number(decoder.ip))
      const instruction = decoder.decode()
      const { code, flowControl, mnemonic } = instruction
      if (instruction.isIpRelMemoryOperand) {
        const address = Number(instruction.ipRelMemoryAddress)
        references.push({ address, isLoad: mnemonic !== Mnemonic.Lea })
      } else if (code === Code.Mov_r32_imm32 || code === Code.Mov_r64_imm64 || code === Code.Mov_rm64_imm32) {
        references.push({ address: Number(instruction.immediate(1)), isLoad: false })
      }
      const isBranch =
        flowControl === FlowControl.UnconditionalBranch || flowControl === FlowControl.ConditionalBranch
      if (isBranch && instruction.op0Kind === OpKind.NearBranch64)
        pending.push(Number(instruction.nearBranchTarget))
      const goesOn =
        flowControl === FlowControl.Next ||
        flowControl === FlowControl.ConditionalBranch ||
        flowControl === FlowControl.Call ||
        flowControl === FlowControl.IndirectCall
      instruction.free()
      if (!goesOn) break
    }
    decoder.free()
  }
  return references
}

function isFunctionStart(elf: ElfImage, unwind: UnwindTable, address: number): boolean {
  if (!segmentAt(elf.facts, address)?.executable) return false
  if (unwind.isEmpty) return true
  return unwind.lookup(asVirtualAddress(address))?.address === address
}
