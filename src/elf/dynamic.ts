import { ByteReader } from '../base/byte-reader.ts'

const DT_NEEDED = 1
export const DT_PLTRELSZ = 2
export const DT_HASH = 4
export const DT_STRTAB = 5
export const DT_SYMTAB = 6
export const DT_RELA = 7
export const DT_RELASZ = 8
export const DT_STRSZ = 10
export const DT_SONAME = 14
export const DT_RPATH = 15
export const DT_JMPREL = 23
export const DT_RUNPATH = 29
export const DT_RELRSZ = 35
export const DT_RELR = 36
export const DT_GNU_HASH = 0x6ffffef5
export const DT_VERSYM = 0x6ffffff0
export const DT_FLAGS_1 = 0x6ffffffb
export const DT_VERDEF = 0x6ffffffc
export const DT_VERDEFNUM = 0x6ffffffd
export const DT_VERNEED = 0x6ffffffe
export const DT_VERNEEDNUM = 0x6fffffff
export const DF_1_PIE = 0x0800_0000

const DT_NULL = 0

/** The dynamic section: values by tag, as the dynamic linker reads them. */
export interface DynamicTable {
  /** The last value, where a tag occurs twice, as in the dynamic linker. */
  get(tag: number): number | undefined
  /** Values of `DT_NEEDED`, in order: offsets in the dynamic string table. */
  readonly needed: readonly number[]
}

/** Reads `Elf64_Dyn` entries up to `DT_NULL` or the end of the bytes. */
export function readDynamic(bytes: Uint8Array): DynamicTable {
  const fields = new ByteReader(bytes)
  const values = new Map<number, number>()
  const needed: number[] = []
  while (fields.remaining >= 16) {
    const tag = fields.u64()
    const value = fields.u64()
    if (tag === DT_NULL) break
    if (tag === DT_NEEDED) needed.push(value)
    values.set(tag, value)
  }
  return { get: (tag) => values.get(tag), needed }
}
