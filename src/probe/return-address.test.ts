import { describe, expect, test } from 'vitest'
import { readsReturnAddress } from './return-address.ts'

const code = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))

describe('a function that reads its own return address', () => {
  test.each([
    ['a leaf: mov (%rsp),%rax', '48 8b 04 24 c3'],
    ['after endbr64', 'f3 0f 1e fa 48 8b 04 24 c3'],
    ['through the frame pointer: mov 0x8(%rbp),%rax', '55 48 89 e5 89 7d fc 48 8b 45 08 5d c3'],
    ['after pushes and sub $0x18,%rsp: mov 0x28(%rsp),%rsi', '53 41 54 48 83 ec 18 4c 8b 64 24 28 c3'],
    ['between pushes: push, mov 0x8(%rsp),%rsi, push', '53 48 8b 74 24 08 55 c3'],
    ['after moves between pushes', '41 57 89 d0 41 56 48 83 ec 08 48 8b 74 24 18 c3'],
    ['below a large frame: mov 0x108(%rsp),%rdi', '55 48 81 ec 00 01 00 00 48 8b bc 24 08 01 00 00 c3'],
  ])('%s', (_, hex) => expect(readsReturnAddress(code(hex))).toBe(true))
})

describe('one that does not', () => {
  test.each([
    ['a local variable: mov 0x10(%rsp),%rax', '53 41 54 48 83 ec 18 48 8b 44 24 10 c3'],
    ['a local variable that lay there if moves ended the prologue', '41 57 89 d0 41 56 48 8b 44 24 08 c3'],
    ['a field of what %rbp points to, without a frame pointer', '55 48 89 fd 48 8b 45 08 5d c3'],
    ['an argument on the stack: mov 0x10(%rbp),%rax', '55 48 89 e5 48 8b 45 10 5d c3'],
    ['a store: mov %rax,0x8(%rbp)', '55 48 89 e5 48 89 45 08 5d c3'],
    ['nothing at all', ''],
  ])('%s', (_, hex) => expect(readsReturnAddress(code(hex))).toBe(false))
})
