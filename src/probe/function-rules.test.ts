import { expect, test } from 'vitest'
import { functionRule, isColdPart } from './function-rules.ts'

test.each([
  ['_start', 'untraced'],
  ['_init', 'untraced'],
  ['frame_dummy', 'untraced'],
  ['__x86.get_pc_thunk.bx', 'untraced'],
  ['__x86_indirect_thunk_rax', 'untraced'],
  ['_dl_runtime_resolve_xsavec', 'untraced'],
  ['puts@plt', 'untraced'],
  ['puts$plt', 'untraced'],
  ['__cxa_finalize$pltgot', 'untraced'],
  ['prog+0x1139', 'ret'],
  ['main.cold', 'untraced'],
  ['main.part.0.cold.3', 'untraced'],
  ['__sigsetjmp', 'ret'],
  ['setjmp@@GLIBC_2.2.5', 'ret'],
  ['swapcontext', 'ret'],
  ['dlsym', 'ret'],
  ['__asan_memcpy', 'ret'],
  ['vfork', 'entry'],
  ['__longjmp_chk', 'entry'],
  ['__cxa_throw', 'entry'],
  ['main', undefined],
  ['scold', undefined],
  ['exit_loop', undefined],
])('%s: %s', (symbol, allows) => {
  expect(functionRule(symbol)?.allows).toBe(allows)
})

test('names the function that a cold part is of', () => {
  expect(functionRule('parse.part.0.cold')?.reason).toBe('cold part of another function')
  expect([isColdPart('parse.cold'), isColdPart('parse.cold.1'), isColdPart('coldstart')]).toEqual([
    true,
    true,
    false,
  ])
})
