import { expect, test } from 'vitest'
import { emulationOf } from './kernel-rules.ts'

const cases: [bytes: string, expected: string, instruction: string][] = [
  ['55', 'everywhere', 'push rbp'],
  ['4154', 'everywhere', 'push r12'],
  ['4055', 'stepped', 'rex push rbp'],
  ['6650', 'stepped', 'push ax'],
  ['6a20', 'stepped', 'push 0x20'],
  ['90', 'everywhere', 'nop'],
  ['6690', 'recent', 'xchg ax, ax'],
  ['f390', 'stepped', 'pause'],
  ['4190', 'refused', 'xchg r8, rax'],
  ['0f1f4000', 'recent', 'nop [rax]'],
  ['0f1f440000', 'recent', 'nop [rax+rax]'],
  ['662e0f1f840000000000', 'refused', 'nop cs:[rax+rax]: segment override'],
  ['eb00', 'everywhere', 'jmp short'],
  ['e900000000', 'everywhere', 'jmp near'],
  ['e800000000', 'everywhere', 'call'],
  ['66e800000000', 'refused', 'call with an operand size'],
  ['f2e900000000', 'everywhere', 'bnd jmp'],
  ['7400', 'everywhere', 'je short'],
  ['0f8400000000', 'everywhere', 'je near'],
  ['2e7400', 'refused', 'je, not taken'],
  ['f30f1efa', 'stepped', 'endbr64'],
  ['4883ec18', 'stepped', 'sub rsp, 0x18'],
  ['c3', 'stepped', 'ret'],
  ['f3c3', 'stepped', 'rep ret'],
  ['64488b042528000000', 'stepped', 'mov rax, fs:0x28'],
  ['f0ff07', 'refused', 'lock inc [rdi]'],
  ['3effe0', 'refused', 'notrack jmp rax'],
  ['62f17c481007', 'refused', 'vmovups zmm0, [rdi]: EVEX'],
  ['c5f81007', 'stepped', 'vmovups xmm0, [rdi]'],
  ['c5f9efc0', 'refused', 'vpxor xmm0, xmm0, xmm0: no good one-byte opcode'],
  ['660fefc0', 'stepped', 'pxor xmm0, xmm0'],
  ['0f05', 'refused', 'syscall'],
  ['0f0b', 'refused', 'ud2'],
  ['f4', 'refused', 'hlt'],
  ['cc', 'refused', 'int3'],
  ['ec', 'refused', 'in al, dx'],
  ['', 'refused', 'nothing'],
  ['66', 'refused', 'a prefix alone'],
]

test.each(cases)('%s is %s (%s)', (bytes, expected) => {
  expect(emulationOf(Buffer.from(bytes, 'hex'))).toBe(expected)
})
