import type { VirtualAddress } from '../base/units.ts'
import { instructionText } from './decoder.ts'
import type { ModuleCode } from './module-code.ts'
import type { ExitSite } from './plan.ts'

/** Length of the longest x86 instruction. */
export const INSTRUCTION_BYTES = 15

/** A probe at an address; undefined where that address is not in the file. */
export function makeSite(
  address: VirtualAddress,
  facts: Pick<ExitSite, 'stackDisplacement' | 'emulated' | 'optimised' | 'mayFaultBefore' | 'condition'>,
  code: ModuleCode,
): ExitSite | undefined {
  const fileOffset = code.toFileOffset(address)
  if (fileOffset === undefined) return undefined
  let text: string | undefined
  return {
    address,
    fileOffset,
    ...facts,
    // Wanted for few sites and dear to make: when it is asked for.
    get instruction() {
      text ??= instructionText(code.read(address, INSTRUCTION_BYTES) ?? new Uint8Array(), address)
      return text
    },
  }
}
