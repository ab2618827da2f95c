import type { VirtualAddress } from '../base/units.ts'
import type { FunctionSymbol, UnwindRange } from '../elf/facts.ts'
import { functionRule } from './function-rules.ts'

export interface WayOutOptions {
  readonly exitProbe: 'auto' | 'return' | 'ret'
  /** Whether return addresses may be replaced in this process at all, and the evidence for it. */
  readonly returnHooks: {
    readonly harmless: boolean
    readonly reason: string
    /** An unwinder may run: functions that it meets on the stack lose their hooks, and get exit probes for good. */
    readonly mayBeLost: boolean
  }
}

export interface WayOutWish {
  readonly kind: 'return' | 'ret' | 'none' | 'untraced'
  readonly reason: string
}

/**
 * How the end of a function's calls is to be seen, as far as its names, the unwind table and the process tell. A return
 * probe needs evidence that the return address is where it looks for it: names are asked first, since the unwind
 * table calls `setjmp` an ordinary function.
 */
export function wishWayOut(
  target: Pick<FunctionSymbol, 'symbol' | 'aliases' | 'address'>,
  range: UnwindRange | undefined,
  entryPoint: VirtualAddress | undefined,
  options: WayOutOptions,
): WayOutWish {
  for (const name of [target.symbol, ...target.aliases]) {
    const rule = functionRule(name)
    if (rule !== undefined)
      return { kind: rule.allows === 'entry' ? 'none' : rule.allows, reason: rule.reason }
  }
  if (target.address === entryPoint)
    return { kind: 'untraced', reason: 'where the program starts: not entered by a call' }
  if (range === undefined)
    return { kind: 'ret', reason: 'no unwind information tells where its return address is' }
  if (range.address !== target.address) return { kind: 'ret', reason: 'starts inside another function' }
  if (!range.returnAddressOnTop) {
    return { kind: 'untraced', reason: 'not entered by a call, as the unwind table has it' }
  }
  if (options.exitProbe === 'ret') return { kind: 'ret', reason: 'asked for' }
  const { harmless, reason } = options.returnHooks
  if (harmless) return { kind: 'return', reason }
  return { kind: options.exitProbe === 'return' ? 'none' : 'ret', reason }
}
