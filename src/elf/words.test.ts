import { expect, it } from 'vitest'
import { wordsOf } from './words.ts'

it('reads words at any alignment, and leaves out a cut one', () => {
  const bytes = Buffer.from(new Uint8Array([9, 1, 0, 0, 0, 2, 0, 0, 0, 3]).buffer)
  expect([...wordsOf(bytes.subarray(1))]).toEqual([1, 2])
  expect([...wordsOf(bytes.subarray(0, 4))]).toEqual([265])
  expect([...wordsOf(new Uint8Array(3))]).toEqual([])
})
