import { addressToFileOffset } from './address.ts'
import type { FunctionSymbol, UnwindRange } from './facts.ts'
import type { ElfImage } from './image.ts'
import { readUnwindTable } from './unwind-table.ts'

/** What one sees of a hostile table: far above the functions of the largest programs. */
const MAX_FUNCTIONS = 1 << 22

/**
 * Adds the functions that only the unwind table knows, under names like `prog+0x1139`: the module, and the address as
 * linked. They are ranges that start like a function entered by a call, in executable code, outside of all functions
 * with a name and of the linker's call stubs; the entry point is none.
 * @param functions sorted by address @returns both kinds, sorted by address
 */
export function withUnnamedFunctions(
  elf: ElfImage,
  functions: readonly FunctionSymbol[],
  moduleName: string,
): FunctionSymbol[] {
  const stubs = elf.sections.filter(({ name }) => name.startsWith('.plt'))
  const found: FunctionSymbol[] = []
  let named = 0
  let namedEnd = 0
  let last = -1
  for (const range of readUnwindTable(elf).ranges()) {
    const { address } = range
    for (; named < functions.length && functions[named]!.address <= address; named++) {
      const { address: start, size } = functions[named]!
      namedEnd = Math.max(namedEnd, start + Math.max(1, size))
    }
    const isStub = stubs.some((stub) => address >= stub.address && address < stub.address + stub.size)
    if (address < namedEnd || address <= last || isStub || address === elf.facts.entry) continue
    const unnamed = describe(elf, range, moduleName)
    if (unnamed === undefined) continue
    last = address
    if (found.push(unnamed) === MAX_FUNCTIONS) break
  }
  return [...functions, ...found].sort((a, b) => a.address - b.address)
}

function describe(elf: ElfImage, range: UnwindRange, moduleName: string): FunctionSymbol | undefined {
  const { address, size, returnAddressOnTop } = range
  const segment = elf.facts.segments.find(
    (candidate) => address >= candidate.address && address < candidate.address + candidate.fileSize,
  )
  const fileOffset = addressToFileOffset(elf.facts, address)
  if (!returnAddressOnTop || size === 0 || fileOffset === undefined || !segment?.executable) return undefined
  return {
    symbol: `${moduleName}+0x${address.toString(16)}`,
    aliases: [],
    address,
    fileOffset,
    size: Math.min(size, segment.address + segment.fileSize - address),
    isIfunc: false,
    source: 'unwind',
    isLabel: false,
  }
}
