import { expect, test } from 'vitest'
import { sweepCode } from './code-sweep.ts'
import { waysToRet } from './ways-to-ret.ts'

/** What `offset condition displacement` the last `ret` of the code can be reached by; `none` if that is not certain. */
function ways(hex: string): string {
  const bytes = Buffer.from(hex.replaceAll(/\s/g, ''), 'hex')
  const { rets, changes } = sweepCode(bytes)!
  const found = waysToRet(bytes, changes!, rets.at(-1)!.offset)
  const texts = found?.map(({ offset, condition = 'always', stackDisplacement }) => {
    return `${offset} ${condition} ${stackDisplacement}`
  })
  return texts?.join(', ') ?? 'none'
}

/** Condition codes: 4 is `je`, 5 is `jne`. */
test.each([
  // sub rsp, 24; test; jne fail; add rsp, 24; ret; fail: ud2
  ["a stack protector's check", '4883ec18 85c0 7505 4883c418 c3 0f0b', '6 4 24'],
  ['the same with registers to restore', '53 55 85c0 7504 5d 5b 90 c3 0f0b', '4 4 16'],
  // je out; nop; jmp out; out: pop; ret
  ['an epilogue that two have in common', '53 85c0 7403 90 eb00 5b c3', '3 4 8, 6 always 8'],
  ['a jump that leads there either way', '53 85c0 7402 6690 5b c3', '3 always 8'],
  ['an early way out', '85ff 7501 c3 53 85c0 7502 5b c3 5b c3', '8 5 8'],
  ['code from the start', '31c0 c3', 'none'],
  ['a call on the way', '53 85c0 7502 ffd0 5b c3', 'none'],
  ['a call before it', '53 ffd0 5b c3', 'none'],
  ['memory that is read on the way', '53 85c0 7507 488b442408 6690 5b c3 5b', 'none'],
  ['the frame pointer that tells where the stack was', '55 4889e5 85c0 7502 c9 c3 0f0b', 'none'],
  // again: dec; jne again; ret
  ['a loop whose condition is passed at every turn', 'ffc9 75fc c3', 'none'],
  ['a loop around it', '85c0 7503 ffc9 c3 ebf7', 'none'],
  ['a counting jump', '53 e302 6690 5b c3', 'none'],
  ['more than a few ways', '85c0 7410 85c0 740c 85c0 7408 85c0 7404 85c0 7400 c3', 'none'],
])('%s', (_, hex, expected) => {
  expect(ways(hex)).toBe(expected)
})
