import type { ElfImage } from './image.ts'
import { wordsOf } from './words.ts'

export const R_X86_64_64 = 1
export const R_X86_64_GLOB_DAT = 6
export const R_X86_64_JUMP_SLOT = 7
export const R_X86_64_RELATIVE = 8
export const R_X86_64_IRELATIVE = 37

const WORDS = 6

/**
 * Visits the `Elf64_Rela` entries of a table that the dynamic section names by the tags of its address and size.
 * @param visit gets the address to relocate, the type, the index in the dynamic symbol table and the addend
 */
export function forEachRelocation(
  elf: ElfImage,
  addressTag: number,
  sizeTag: number,
  visit: (address: number, type: number, symbol: number, addend: number) => void,
): void {
  const bytes = elf.bytesAt(elf.dynamic.get(addressTag) ?? -1, elf.dynamic.get(sizeTag) ?? 0)
  const words = wordsOf(bytes)
  for (let index = 0; index + WORDS <= words.length; index += WORDS) {
    const address = words[index]! + words[index + 1]! * 0x1_0000_0000
    const addend = words[index + 4]! + (words[index + 5]! | 0) * 0x1_0000_0000
    visit(address, words[index + 2]!, words[index + 3]!, addend)
  }
}
