import type { FunctionSymbol } from '../elf/facts.ts'
import { readFunctions } from '../elf/functions.ts'
import type { ElfImage } from '../elf/image.ts'

const read = new WeakMap<ElfImage, readonly FunctionSymbol[]>()

/** The functions of a module: its symbol tables are read once. */
export function functionsOf(image: ElfImage): readonly FunctionSymbol[] {
  let functions = read.get(image)
  if (functions === undefined) {
    functions = readFunctions(image)
    read.set(image, functions)
  }
  return functions
}
