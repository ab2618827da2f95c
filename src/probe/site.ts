import type { VirtualAddress } from '../base/units.ts'
import { instructionText } from './decoder.ts'
import type { ModuleCode } from './module-code.ts'
import type { ExitSite } from './plan.ts'

/** Length of the longest x86 instruction. */
export const INSTRUCTION_BYTES = 15

const nop5 = Buffer.from([0x0f, 0x1f, 0x44, 0x00, 0x00])

/** A probe at an address; undefined where that address is not in the file. */
export function makeSite(
  address: VirtualAddress,
  facts: Pick<ExitSite, 'stackDisplacement' | 'emulated' | 'condition'>,
  code: ModuleCode,
): ExitSite | undefined {
  const fileOffset = code.toFileOffset(address)
  if (fileOffset === undefined) return undefined
  let text: string | undefined
  return {
    address,
    fileOffset,
    ...facts,
    get isNop5() {
      return nop5.equals(code.read(address, nop5.length) ?? new Uint8Array())
    },
    // Wanted for few sites and dear to make: when it is asked for.
    get instruction() {
      text ??= instructionText(code.read(address, INSTRUCTION_BYTES) ?? new Uint8Array(), address)
      return text
    },
  }
}
