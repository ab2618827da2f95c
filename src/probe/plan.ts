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
  /** `0f 1f 44 00 00`: since Linux 6.18 a probe there becomes a call, without a breakpoint. Found out on demand. */
  readonly isNop5?: boolean
  /** For people: `push rbp`. */
  readonly instruction: string
}

/** A probe on an instruction by which a function leaves. */
export interface ExitSite extends ProbeSite {
  /** The jump is taken, and the function left, on this condition only: the `cc` of the x86 `jcc` encoding. */
  readonly condition: number | undefined
}

/** How the end of a call is seen. */
export type WayOut =
  /** The kernel's return probe: the return address on the stack is replaced. */
  | { readonly kind: 'return' }
  /**
   * A probe on each instruction through which the function leaves: its `ret`s, and its jumps to code that is not traced
   * (the `ret` of traced code ends the call as well).
   */
  | { readonly kind: 'ret'; readonly sites: readonly ExitSite[] }
  /** The function is nothing but the instruction that its entry probe sits on. */
  | { readonly kind: 'entry' }
  /** Entries only: exits are inferred. */
  | { readonly kind: 'none' }

/** Stands in a list of addresses for whatever lies in another module: calls through the PLT lead there. */
export const otherModule = 0 as VirtualAddress

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
  /** The way out that serves if its return address must stay where it is. Found out when it is asked for. */
  readonly exitWithoutHook: WayOut
  /** Whether it may hand its place on the stack on to another function by a jump. Found out when it is asked for. */
  readonly mayTailCall: boolean
  /** The only functions that it can hand its place on to (`otherModule` for all of those); undefined: any. On demand. */
  readonly tailTargets: readonly VirtualAddress[] | undefined
  /** Whether it jumps back to its own first instruction, so that its entry probe counts every turn. On demand, too. */
  readonly loopsToEntry: boolean
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
