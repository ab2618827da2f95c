import type { FileOffset, VirtualAddress } from '../base/units.ts'

/** One instruction that carries a probe. */
export interface ProbeSite {
  readonly address: VirtualAddress
  readonly fileOffset: FileOffset
  /**
   * Bytes by which the stack pointer at this instruction lies below its value at the function's first
   * instruction (where it points at the return address). 0 where nothing was pushed yet.
   */
  readonly stackDisplacement: number
  /** The kernel emulates this instruction; otherwise it is single-stepped out of line, about ten times dearer. */
  readonly emulated: boolean
  /** For people: `push rbp`. */
  readonly instruction: string
}

/** How the end of a call is seen. */
export type WayOut =
  /** The kernel's return probe: the return address on the stack is replaced. */
  | { readonly kind: 'return' }
  /** A probe on each instruction through which the function leaves. */
  | { readonly kind: 'ret'; readonly sites: readonly ProbeSite[] }
  /** Entries only: exits are inferred. */
  | { readonly kind: 'none' }

export interface FunctionPlan {
  /** Linkage name, and the other names of the same address. */
  readonly symbol: string
  readonly aliases: readonly string[]
  /** Demangled name with arguments. */
  readonly name: string
  readonly kind: 'function' | 'library-call'
  readonly address: VirtualAddress
  readonly size: number
  readonly entry: ProbeSite
  readonly exit: WayOut
  /** Why this way out: one short clause. */
  readonly reason: string
}

/** A function that was asked for and is left out. */
export interface Untraced {
  readonly symbol: string
  readonly name: string
  readonly reason: string
}

export interface ModulePlan {
  readonly functions: readonly FunctionPlan[]
  readonly untraced: readonly Untraced[]
}
