import { expect, it } from 'vitest'
import { eventKind } from '../base/event.ts'
import { Timeline } from './timeline.ts'

function listen(timeline: Timeline) {
  const heard: string[] = []
  timeline.begin(
    { event: (_time, _stack, _tid, kind, functionId) => heard.push(`event ${kind} of ${functionId}`) },
    {
      begin: () => {},
      end: () => {},
      lost: () => {},
      note: ({ text }) => heard.push(text),
    },
  )
  return heard
}

it('keeps what is said too early, but not what nobody needs before tracing', () => {
  const timeline = new Timeline()
  timeline.note('early')
  timeline.mark('dropped', [1])
  const heard = listen(timeline)
  timeline.note('late')
  timeline.mark('dropped', [2, 3])
  timeline.mark('stacksSwitch')
  expect(heard).toEqual([
    'early',
    'late',
    `event ${eventKind.dropped} of 2`,
    `event ${eventKind.dropped} of 3`,
    `event ${eventKind.stacksSwitch} of 0`,
  ])
})

it('begins its time where it is made', () => {
  const timeline = new Timeline()
  const first = timeline.now()
  expect(first).toBeGreaterThanOrEqual(0)
  expect(timeline.now()).toBeGreaterThanOrEqual(first)
})
