import type { FileOffset, VirtualAddress } from '../base/units.ts'
import type { FunctionSymbol, UnwindRange } from '../elf/facts.ts'

/** What planning needs to know of an ELF file. */
export interface ModuleCode {
  /** All functions of the module, sorted by address, one per address. */
  readonly functions: readonly FunctionSymbol[]
  readonly unwind: { lookup(address: VirtualAddress): UnwindRange | undefined }
  /** Bytes at an address; short or undefined where the file does not hold them all. */
  readonly read: (address: VirtualAddress, size: number) => Uint8Array | undefined
  readonly toFileOffset: (address: VirtualAddress) => FileOffset | undefined
  /** Whether the program may change the code at an address: the kernel silently leaves such mappings without probes. */
  readonly isWritable: (address: VirtualAddress) => boolean
  /** Its PLT leads to other modules only: that of a library may lead back to it, and so may that of a program with IFUNCs. */
  readonly callsLeaveModule: boolean
  /** `e_entry`: code that the kernel jumps to. Undefined for a library. */
  readonly entryPoint: VirtualAddress | undefined
  /** Pointers in its data; undefined where it runs at a fixed address, so that they cannot be told from numbers. */
  readonly pointers?: CodePointers | undefined
  readonly placements?: PlacementMemory | undefined
  /** The kernel replaces a probed nop of five bytes by a call (Linux 6.18). */
  readonly optimisesNops?: boolean | undefined
}

export interface CodePointers {
  /** Whether the dynamic linker fills a pointer in that leads to one of these addresses, both ends included. */
  pointsInto(first: VirtualAddress, last: VirtualAddress): boolean
  isCode(address: number): boolean
}

/** What was decided before on the same code: finding out whether anything jumps behind an entry is dear. */
export interface PlacementMemory {
  /** Bytes from the function's first instruction to its entry. */
  get(address: VirtualAddress, returnAddressOnTop: boolean): number | undefined
  set(address: VirtualAddress, returnAddressOnTop: boolean, offset: number): void
}

/** Index of the last function at or before an address; -1 if there is none. */
export function indexAtOrBefore(functions: readonly FunctionSymbol[], address: VirtualAddress): number {
  let low = 0
  let high = functions.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (functions[middle]!.address <= address) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** The function whose bytes include an address. */
export function functionHolding(
  functions: readonly FunctionSymbol[],
  address: VirtualAddress,
): FunctionSymbol | undefined {
  const found = functions[indexAtOrBefore(functions, address)]
  return found !== undefined && address < found.address + found.size ? found : undefined
}
