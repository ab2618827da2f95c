import type { ByteReader } from '../base/byte-reader.ts'

/** The rules that hold at the first instruction of a range. */
export interface EntryRules {
  /** Register that the canonical frame address (CFA) is counted from; undefined where an expression computes it. */
  readonly cfaRegister: number | undefined
  readonly cfaOffset: number
  /** Where the return address is, counted from the CFA; undefined where it is not in memory, or not known. */
  readonly returnAddressAt: number | undefined
}

/** Register numbers of the x86-64 psABI, figure 3.36. */
const RSP = 7
const RETURN_ADDRESS_SIZE = 8

/** Operands of call-frame instructions: numbers, or bytes after their length. */
type Operand = 'uleb' | 'sleb' | 'block'

/** Instructions that change neither the CFA nor, for another register than its own, the return address (DWARF 5, 6.4.2). */
const OTHER_INSTRUCTIONS: Readonly<Record<number, readonly Operand[]>> = {
  0: [],
  10: [],
  46: ['uleb'],
}

/** Instructions that start with a register and give it a rule; only an offset from the CFA is a place in memory. */
const REGISTER_RULES: Readonly<Record<number, readonly Operand[]>> = {
  7: [],
  8: [],
  9: ['uleb'],
  16: ['block'],
  20: ['uleb'],
  21: ['sleb'],
  22: ['block'],
}

/** Runs call-frame instructions as far as the first one that moves on to a later instruction of the code. */
export class FrameRules {
  readonly #dataAlignment: number
  readonly #returnAddressRegister: number

  constructor(dataAlignment: number, returnAddressRegister: number) {
    this.#dataAlignment = dataAlignment
    this.#returnAddressRegister = returnAddressRegister
  }

  isReturnAddressOnTop(rules: EntryRules): boolean {
    return (
      rules.cfaRegister === RSP &&
      rules.cfaOffset === RETURN_ADDRESS_SIZE &&
      rules.returnAddressAt === -RETURN_ADDRESS_SIZE
    )
  }

  /**
   * @param fields a reader that ends with the entry
   * @param initial the rules of the CIE, or undefined while reading the CIE itself
   * @returns undefined for an instruction that is not known or not whole
   */
  run(fields: ByteReader, initial: EntryRules | undefined): EntryRules | undefined {
    let { cfaRegister, cfaOffset, returnAddressAt } = initial ?? {
      cfaRegister: undefined as number | undefined,
      cfaOffset: 0,
      returnAddressAt: undefined as number | undefined,
    }
    const setReturnAddress = (register: number, at: number | undefined) => {
      if (register === this.#returnAddressRegister) returnAddressAt = at
    }
    while (fields.remaining > 0) {
      const byte = fields.u8()
      const operand = byte & 0x3f
      // DW_CFA_advance_loc, with its delta in the low bits, and its longer forms and DW_CFA_set_loc.
      if (byte >> 6 === 1 || (byte >= 0x01 && byte <= 0x04)) break
      if (byte >> 6 === 2) setReturnAddress(operand, fields.uleb() * this.#dataAlignment)
      else if (byte >> 6 === 3) setReturnAddress(operand, initial?.returnAddressAt)
      else if (byte === 0x05) setReturnAddress(fields.uleb(), fields.uleb() * this.#dataAlignment)
      else if (byte === 0x11) setReturnAddress(fields.uleb(), fields.sleb() * this.#dataAlignment)
      else if (byte === 0x06) setReturnAddress(fields.uleb(), initial?.returnAddressAt)
      else if (byte === 0x0c || byte === 0x12) {
        cfaRegister = fields.uleb()
        cfaOffset = byte === 0x0c ? fields.uleb() : fields.sleb() * this.#dataAlignment
      } else if (byte === 0x0d) cfaRegister = fields.uleb()
      else if (byte === 0x0e) cfaOffset = fields.uleb()
      else if (byte === 0x13) cfaOffset = fields.sleb() * this.#dataAlignment
      else if (byte === 0x0f) {
        cfaRegister = undefined
        skipOperands(fields, ['block'])
      } else if (REGISTER_RULES[byte]) {
        setReturnAddress(fields.uleb(), undefined)
        skipOperands(fields, REGISTER_RULES[byte])
      } else if (OTHER_INSTRUCTIONS[byte]) skipOperands(fields, OTHER_INSTRUCTIONS[byte])
      else return undefined
    }
    return fields.overrun ? undefined : { cfaRegister, cfaOffset, returnAddressAt }
  }
}

function skipOperands(fields: ByteReader, operands: readonly Operand[]): void {
  for (const operand of operands) {
    if (operand === 'block') fields.skip(fields.uleb())
    else if (operand === 'uleb') fields.uleb()
    else fields.sleb()
  }
}
