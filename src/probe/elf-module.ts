import { addressToFileOffset, segmentAt } from '../elf/address.ts'
import type { FunctionSymbol } from '../elf/facts.ts'
import { readFunctions } from '../elf/functions.ts'
import type { ElfImage } from '../elf/image.ts'
import { pointerTargets } from '../elf/relative-pointers.ts'
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
    callsLeaveModule: elf.facts.isExecutableImage,
    pointers: elf.facts.type === 'shared' ? codePointersOf(elf) : undefined,
    entryPoint: elf.facts.entry === 0 ? undefined : elf.facts.entry,
  }
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
