import { expect, it } from 'vitest'
import { type EventConsumer, eventKind } from '../base/event.ts'
import { asTid, asTraceNs } from '../base/units.ts'
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

it('puts the waits of threads between the events before and after them', () => {
  const timeline = new Timeline()
  const heard: string[] = []
  const events: EventConsumer = {
    event: (timeNs, stack, tid, kind) => heard.push(`${kind} at ${timeNs} of ${tid}: ${stack}`),
  }
  expect(timeline.inOrder(events)).toBe(events)
  const beganNs = timeline.now()
  const untilNs = timeline.now()
  timeline.waited(asTid(7), beganNs, untilNs)
  const late = asTraceNs(untilNs + 1)
  const ordered = timeline.inOrder(events)
  ordered.event(beganNs, 1, 7, eventKind.entry, 0, 0)
  ordered.event(late, 2, 7, eventKind.entry, 0, 0)
  ordered.event(late, 3, 7, eventKind.entry, 0, 0)
  expect(heard).toEqual([
    `0 at ${beganNs} of 7: 1`,
    expect.stringMatching(new RegExp(`^${eventKind.waited} at \\d+ of 7: \\d+$`)),
    `0 at ${late} of 7: 2`,
    `0 at ${late} of 7: 3`,
  ])
  timeline.waited(asTid(8), beganNs, timeline.now())
  timeline.tellWaits(events, beganNs)
  expect(heard).toHaveLength(4)
  timeline.tellWaits(events, timeline.now())
  expect(heard[4]).toMatch(/of 8/)
})

it('begins its time where it is made', () => {
  const timeline = new Timeline()
  const first = timeline.now()
  expect(first).toBeGreaterThanOrEqual(0)
  expect(timeline.now()).toBeGreaterThanOrEqual(first)
})
