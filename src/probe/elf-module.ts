import { addressToFileOffset, segmentAt } from '../elf/address.ts'
import { DT_JMPREL, DT_PLTRELSZ } from '../elf/dynamic.ts'
import type { FunctionSymbol } from '../elf/facts.ts'
import { readFunctions } from '../elf/functions.ts'
import type { ElfImage } from '../elf/image.ts'
import { pointerTargets } from '../elf/relative-pointers.ts'
import { forEachRelocation, R_X86_64_IRELATIVE } from '../elf/relocations.ts'
import { readUnwindTable } from '../elf/unwind-table.ts'
import type { CodePointers, ModuleCode } from './module-code.ts'

/** What planning needs of an ELF file. A library's entry point (glibc's prints a banner) counts like a program's. */
export function moduleCodeOf(
  elf: ElfImage,
  functions: readonly FunctionSymbol[] = readFunctions(elf),
): ModuleCode {
  return {
    functions,
    unwind: readUnwindTable(elf),
    read: (address, size) => elf.bytesAt(address, size),
    toFileOffset: (address) => addressToFileOffset(elf.facts, address),
    isWritable: (address) => segmentAt(elf.facts, address)?.writable ?? false,
    callsLeaveModule: callsLeaveModule(elf),
    pointers: elf.facts.type === 'shared' ? codePointersOf(elf) : undefined,
    entryPoint: elf.facts.entry === 0 ? undefined : elf.facts.entry,
  }
}

/** A program's own IFUNCs are called through its PLT as well, and of a static program nothing else is. */
function callsLeaveModule(elf: ElfImage): boolean {
  if (!elf.facts.isExecutableImage || elf.facts.needed.length === 0) return false
  let hasOwnIfunc = false
  forEachRelocation(elf, DT_JMPREL, DT_PLTRELSZ, (_address, type) => {
    hasOwnIfunc ||= type === R_X86_64_IRELATIVE
  })
  return !hasOwnIfunc
}

function codePointersOf(elf: ElfImage): CodePointers {
  const isCode = (address: number) => segmentAt(elf.facts, address)?.executable ?? false
  let targets: Float64Array | undefined
  return {
    isCode,
    pointsInto(first, last) {
      targets ??= Float64Array.from(pointerTargets(elf)).filter(isCode).sort()
      let low = 0
      let high = targets.length
      while (low < high) {
        const middle = (low + high) >>> 1
        if (targets[middle]! < first) low = middle + 1
        else high = middle
      }
      return low < targets.length && targets[low]! <= last
    },
  }
}
