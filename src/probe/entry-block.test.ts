import fc from 'fast-check'
import {
  Decoder,
  FlowControl,
  InstructionInfoFactory,
  Mnemonic,
  OpAccess,
  Register,
  RegisterExt,
  type UsedMemory,
  type UsedRegister,
} from 'iced-x86'
import { expect, test } from 'vitest'
import { entryCandidates } from './entry-block.ts'

/** `offset:displacement:emulation` of each candidate, and whether a call may fault before it comes there. */
const candidates = (hex: string) =>
  entryCandidates(Buffer.from(hex.replaceAll(' ', ''), 'hex')).map(
    ({ offset, stackDisplacement, emulation, mayFaultBefore }) =>
      `${offset}:${stackDisplacement}:${emulation}${mayFaultBefore ? ':mayFault' : ''}`,
  )

test.each([
  ['push first', '55 4889e5', ['0:0:everywhere']],
  ['endbr64, push', 'f30f1efa 55', ['0:0:stepped', '4:0:everywhere']],
  [
    'endbr64, sub rsp 24, xor eax eax, call',
    'f30f1efa 4883ec18 31c0 e800000000',
    ['0:0:stepped', '4:0:stepped', '8:24:stepped', '10:24:everywhere'],
  ],
  ['sub rsp 0x1000, nop', '4881ec00100000 90 c3', ['0:0:stepped', '7:4096:everywhere', '8:4096:stepped']],
  ['add rsp -128, nop', '4883c480 90 c3', ['0:0:stepped', '4:128:everywhere', '5:128:stepped']],
  ['lea rsp [rsp-8], push', '488d6424f8 53', ['0:0:stepped', '5:8:everywhere']],
  ['test edi edi, je', '85ff 7402', ['0:0:stepped', '2:0:everywhere']],
  ['a load is passed', '488b07 55', ['0:0:stepped', '3:0:everywhere:mayFault']],
  ['a load from the image is passed', '488b0500000000 55', ['0:0:stepped', '7:0:everywhere:mayFault']],
  [
    'a load of the stack protector is passed',
    '64488b042528000000 55',
    ['0:0:stepped', '9:0:everywhere:mayFault'],
  ],
  ['a comparison with memory is passed', '807f0800 7402', ['0:0:stepped', '4:0:everywhere:mayFault']],
  ['a widening load is passed', '0fb607 55', ['0:0:stepped', '3:0:everywhere:mayFault']],
  ['a load of a float is passed', 'f30f1007 55', ['0:0:stepped', '4:0:everywhere:mayFault']],
  ['a load that must be aligned stops it', '0f2807 55', ['0:0:stepped']],
  ['a load into the stack pointer stops it', '488b27 55', ['0:0:stepped']],
  [
    'a stack that moves behind a load stops it',
    '488b07 4883ec08 7402',
    ['0:0:stepped', '3:0:stepped:mayFault'],
  ],
  ['a load in a lowered frame stops it', '4883ec08 488b07 7402', ['0:0:stepped', '4:8:stepped']],
  ['an exchange with memory stops it', '488707 55', ['0:0:stepped']],
  ['a cut load stops it', '488b87', ['0:0:stepped']],
  ['a division stops it', 'f7fe 55', ['0:0:stepped']],
  ['a store to the stack is passed', '4c894424f8 55', ['0:0:stepped', '5:0:everywhere:mayFault']],
  ['a realigned stack stops it', '4883e4f0 55', ['0:0:stepped']],
  ['a popped stack stops it', '4883c408 55', ['0:0:stepped']],
  ['an exchanged stack stops it', '4887e0 55', ['0:0:stepped']],
  ['a moved stack stops it', '4889fc 55', ['0:0:stepped']],
  ['a flag in its low byte stops it', '400f94c4 55', ['0:0:stepped']],
  ['reading the stack pointer does not', '4889e0 55', ['0:0:stepped', '3:0:everywhere']],
  ['a floating-point comparison stops it', '660f2ec1 55', ['0:0:stepped']],
  ['a refused vector clear is passed', 'c5f9efc0 55', ['0:0:refused', '4:0:everywhere']],
  [
    'a spread byte is passed',
    '660f6ece 660f60c9 660f70c900 55',
    ['0:0:stepped', '4:0:stepped', '8:0:stepped', '13:0:everywhere'],
  ],
  ['a cleared AVX-512 register is passed', '62a1fd00efc0 7702', ['0:0:refused', '6:0:everywhere']],
  ['one that is masked stops it', '62a1fd01efc0 7702', ['0:0:refused']],
  ['bswap is passed', '480fc8 55', ['0:0:stepped', '3:0:everywhere']],
  ['bswap of the stack pointer stops it', '480fcc 55', ['0:0:stepped']],
  ['test ah is passed', 'f6c444 7402', ['0:0:stepped', '3:0:everywhere']],
  ['a cut instruction stops it', 'b8000000', ['0:0:stepped']],
  ['nothing', '', []],
])('%s', (_, hex, expected) => {
  expect(candidates(hex)).toEqual(expected)
})

/** Bytes with the shape of instructions: random opcodes behind likely prefixes. */
const instructionBytes = fc
  .tuple(
    fc.constantFrom(
      [],
      [0x48],
      [0x66],
      [0x41],
      [0x4c],
      [0xf3],
      [0xf2],
      [0x66, 0x44],
      [0xc5, 0xf8],
      [0xc5, 0xf9],
      [0xc4, 0xe2, 0x7d],
    ),
    fc.constantFrom([], [0x0f]),
    fc.constantFrom([], [0xef], [0x6e], [0x78]),
    fc.array(fc.nat(255), { minLength: 12, maxLength: 12 }),
  )
  .map((parts) => Uint8Array.from(parts.flat()))

/** What iced-x86 knows of the first instruction: an independent opinion on what is safe to pass. */
function describe(bytes: Uint8Array) {
  const decoder = new Decoder(64, bytes, 0)
  const instruction = decoder.decode()
  const factory = new InstructionInfoFactory()
  const info = factory.info(instruction)
  const accesses = info.usedMemory().filter((memory: UsedMemory) => memory.access !== OpAccess.NoMemAccess)
  const written = [OpAccess.Write, OpAccess.CondWrite, OpAccess.ReadWrite, OpAccess.ReadCondWrite]
  const writesStackPointer = info
    .usedRegisters()
    .some(
      ({ register, access }: UsedRegister) =>
        RegisterExt.fullRegister(register) === Register.RSP && written.includes(access),
    )
  const isPush = instruction.mnemonic === Mnemonic.Push
  const result = {
    isInvalid: instruction.code === 0,
    length: instruction.length,
    flow: instruction.flowControl,
    accesses: isPush ? 0 : accesses.length,
    writesStackPointer,
    mnemonic: Mnemonic[instruction.mnemonic],
  }
  for (const wasm of [decoder, instruction, factory, info]) wasm.free()
  return result
}

test('whatever is passed neither jumps nor touches memory unsaid nor moves the stack unseen, as iced-x86 has it', () => {
  const passed = new Set<string>()
  const check = fc.property(instructionBytes, (bytes) => {
    const [, second] = entryCandidates(bytes)
    if (second === undefined) return
    const { mnemonic, writesStackPointer, ...facts } = describe(bytes)
    passed.add(mnemonic ?? '')
    const { accesses, ...rest } = facts
    expect(rest).toEqual({ isInvalid: false, length: second.offset, flow: FlowControl.Next })
    expect(accesses > 0).toBe(second.mayFaultBefore)
    if (second.mayFaultBefore) expect(second.stackDisplacement).toBe(0)
    if (writesStackPointer) expect(['Push', 'Sub', 'Add', 'Lea']).toContain(mnemonic)
    else expect(second.stackDisplacement).toBe(0)
    expect(mnemonic).not.toMatch(/^I?Div$|^Syscall$|^Cpuid$|^U?comis|^V?(Add|Sub|Mul|Div|Sqrt|Cvt)[sp]/i)
  })
  fc.assert(check, { numRuns: 30_000 })
  expect(passed.size).toBeGreaterThan(40)
})
