import { addressToFileOffset, segmentAt } from '../elf/address.ts'
import type { FunctionSymbol } from '../elf/facts.ts'
import { readFunctions } from '../elf/functions.ts'
import type { ElfImage } from '../elf/image.ts'
import { readUnwindTable } from '../elf/unwind-table.ts'
import type { ModuleCode } from './module-code.ts'

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
    entryPoint: elf.facts.entry === 0 ? undefined : elf.facts.entry,
  }
}
