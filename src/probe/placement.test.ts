import { expect, test } from 'vitest'
import { entryCandidates } from './entry-block.ts'
import { chooseEntry, type PlacementNeeds } from './placement.ts'

const anything: PlacementNeeds = {
  entryStackPointer: false,
  before: Number.POSITIVE_INFINITY,
  hiddenJumps: false,
  optimisesNopAt: () => false,
  firstOnly: false,
}

function choose(hex: string, needs: Partial<PlacementNeeds> = {}): string | undefined {
  const candidates = entryCandidates(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
  const chosen = chooseEntry(candidates, { ...anything, ...needs })
  return chosen && `+${chosen.offset} ${chosen.emulation}`
}

const endbr = 'f30f1efa'
test.each<[string, string, Partial<PlacementNeeds>, string | undefined]>([
  ['the push behind endbr64', `${endbr} 55`, {}, '+4 everywhere'],
  ['the first instruction where that is asked for', `${endbr} 55`, { firstOnly: true }, '+0 stepped'],
  ['not what something jumps to', `${endbr} 55`, { before: 4 }, '+0 stepped'],
  ['what lies before the place that something jumps to', `${endbr} 55 90`, { before: 5 }, '+4 everywhere'],
  [
    'a call in a lowered frame, if exits are probed',
    `${endbr} 4883ec08 e800000000`,
    { entryStackPointer: false },
    '+8 everywhere',
  ],
  [
    'none in a lowered frame, if the return is hooked',
    `${endbr} 4883ec08 e800000000`,
    { entryStackPointer: true },
    '+0 stepped',
  ],
  ['a short nop over a long one', '0f1f4000 90', {}, '+4 everywhere'],
  ['a long nop over a single step', `${endbr} 0f1f4000 c3`, {}, '+4 recent'],
  ['a push over a nop that the kernel may single-step', '0f1f440000 55', {}, '+5 everywhere'],
  [
    'a nop that becomes a call over a push',
    `${endbr} 0f1f440000 55`,
    { optimisesNopAt: () => true },
    '+4 recent',
  ],
  [
    'no such nop across two pages',
    '0f1f440000 55',
    { optimisesNopAt: (offset) => offset > 0 },
    '+5 everywhere',
  ],
  [
    'no such nop behind a store, which may lie below the stack pointer',
    '48897c24f8 0f1f440000 7400',
    { optimisesNopAt: () => true },
    '+10 everywhere',
  ],
  ['no jcc within reach of a jump table', '85ff 7402', { hiddenJumps: true }, '+0 stepped'],
  ['a push, which no jump table can reach', `${endbr} 55`, { hiddenJumps: true }, '+4 everywhere'],
  ['the first that is not refused', 'c5f9efc0 31c0 c3', {}, '+4 stepped'],
  ['nothing where all is refused', 'f0ff07', {}, undefined],
  ['nothing in no code', '', {}, undefined],
])('takes %s', (_, hex, needs, expected) => {
  expect(choose(hex, needs)).toBe(expected)
})
