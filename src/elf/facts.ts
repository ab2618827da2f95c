import type { FileOffset, VirtualAddress } from '../base/units.ts'

/** A `PT_LOAD` program header: which bytes of the file appear at which addresses, and with which rights. */
export interface LoadSegment {
  readonly address: VirtualAddress
  readonly fileOffset: FileOffset
  readonly fileSize: number
  readonly memorySize: number
  readonly executable: boolean
  readonly writable: boolean
}

/** What an ELF file says of itself. */
export interface ElfFacts {
  /** `e_type`: ET_EXEC, or ET_DYN (a PIE or a shared library). */
  readonly type: 'executable' | 'shared'
  readonly entry: VirtualAddress
  readonly segments: readonly LoadSegment[]
  /** Path of the dynamic linker (`PT_INTERP`); absent in a static executable and in most libraries. */
  readonly interpreter: string | undefined
  readonly soname: string | undefined
  readonly needed: readonly string[]
  /** Folders of `DT_RUNPATH`, or of `DT_RPATH` where there is none, with `$ORIGIN` unexpanded. */
  readonly runPath: readonly string[]
  /** Lower-case hexadecimal. */
  readonly buildId: string | undefined
  /** No `.symtab`. */
  readonly stripped: boolean
  /** ET_EXEC, `DF_1_PIE`, or an interpreter without a soname (libc.so has both): tells a PIE from a library. */
  readonly isExecutableImage: boolean
}

/** A function as a symbol table or the unwind table tells it. */
export interface FunctionSymbol {
  /** The best of its linkage names: exported or weak before local, then the one with the fewest leading underscores. */
  readonly symbol: string
  /** Further linkage names of the same address. */
  readonly aliases: readonly string[]
  readonly address: VirtualAddress
  readonly fileOffset: FileOffset
  /** Bytes; from the unwind table or the next symbol where the symbol table says 0. */
  readonly size: number
  /** `STT_GNU_IFUNC`: the code at this address is a resolver, which returns the address of the implementation. */
  readonly isIfunc: boolean
  /** `separate`: a debug file or `.gnu_debugdata`. `unwind`: no symbol names it, `symbol` is `MODULE+0xADDRESS`. */
  readonly source: 'symtab' | 'dynsym' | 'separate' | 'unwind'
  /**
   * `STT_NOTYPE`: a bare label in code, as hand-written assembly leaves it. It may label data that lies among the
   * code: a probe there is safe only if the unwind table starts a range at this address.
   */
  readonly isLabel: boolean
}

/** A function that a module takes from another one: an undefined dynamic symbol with a relocation on it. */
export interface ImportedFunction {
  readonly symbol: string
  /** Version wanted (`GLIBC_2.14`), where the symbol is versioned. */
  readonly version: string | undefined
  readonly weak: boolean
  /** Its address is only stored in data (`R_X86_64_64`): it can be called through a pointer only. */
  readonly dataOnly: boolean
}

/** A function that a library offers by name in its dynamic symbol table. */
export interface ExportedFunction {
  readonly symbol: string
  readonly version: string | undefined
  /** `name@@VERSION`: taken when no version is asked for. */
  readonly isDefaultVersion: boolean
  readonly address: VirtualAddress
  readonly size: number
  readonly isIfunc: boolean
}

/**
 * A range of code that the unwind table describes.
 * `returnAddressOnTop` holds where at its first instruction the call-frame rule is CFA = rsp + 8 with the return address
 * at CFA - 8: what every function entered by a call has, and what `_start`, signal trampolines and cold parts have not.
 */
export interface UnwindRange {
  readonly address: VirtualAddress
  readonly size: number
  readonly returnAddressOnTop: boolean
}
