import { afterEach, expect, test } from 'vitest'
import { type EventKind, eventKind } from '../base/event.ts'
import { asTraceNs } from '../base/units.ts'
import { Kernel } from '../bpf/kernel.ts'
import { Calibration } from './calibration.ts'
import { ProbeTimings } from './probe-timings.ts'
import { shapeNames } from './program.ts'

const open: Calibration[] = []
afterEach(() => Promise.all(open.splice(0).map((calibration) => calibration.detach())))

test('a program of our own tells what each kind of probe costs on this machine', async () => {
  const kernel = new Kernel(process.hrtime.bigint(), 1 << 20)
  const calibration = new Calibration(kernel)
  open.push(calibration)
  const others: number[] = []
  const costs = await calibration.finish({ event: (_time, _stack, tid) => others.push(tid) })
  expect(others).toEqual([])
  const { entry, return: hooked, ret, jump, libraryCallNs } = costs!
  const whole = ({ beforeNs, afterNs }: typeof ret) => beforeNs + afterNs
  for (const cost of [...Object.values(entry), hooked, ret, jump]) {
    expect(whole(cost)).toBeGreaterThan(50)
    expect(whole(cost)).toBeLessThan(1_000_000)
  }
  // What holds on every machine: a single step comes on top of what emulation takes.
  expect(whole(entry.stepped)).toBeGreaterThan(whole(entry.emulated))
  expect(whole(ret)).toBeGreaterThan(whole(jump))
  expect(libraryCallNs).toBeLessThan(whole(entry.emulated))
})

test('the parts add up to what lies between two readings of the clock', () => {
  const timings = new ProbeTimings()
  let now = 0
  const at = (distance: number, kind: number, id: number) => {
    now += distance
    timings.event(asTraceNs(now), 0, 1, kind as 0, id)
  }
  const inside = { hooked: 1700, libraryCall: 1710, ret: 5300, jump: 5200 } as const
  const outside = {
    emulated: 5300,
    stepped: 19_000,
    nop: 1300,
    hooked: 5000,
    libraryCall: 5100,
    ret: 19_100,
    jump: 5250,
  }
  for (const [id, name] of shapeNames.entries()) {
    for (let call = 0; call < 30; call++) {
      at(call === 0 ? 123_456 : outside[name], eventKind.entry, id)
      const within = inside[name as keyof typeof inside]
      if (within !== undefined) at(within, eventKind.return, id)
    }
  }
  const costs = timings.costs()!
  const { entry, return: hooked, ret, jump } = costs
  expect(entry.emulated.beforeNs + entry.emulated.afterNs).toBe(outside.emulated)
  expect(entry.emulated.beforeNs + entry.stepped.afterNs).toBe(outside.stepped)
  expect(entry.nop.beforeNs + entry.nop.afterNs).toBe(outside.nop)
  expect(entry.emulated.afterNs + hooked.beforeNs).toBe(inside.hooked)
  expect(hooked.afterNs + entry.emulated.beforeNs).toBe(outside.hooked)
  expect(entry.emulated.afterNs + ret.beforeNs).toBe(inside.ret)
  expect(ret.afterNs + entry.emulated.beforeNs).toBe(outside.ret)
  expect(jump.afterNs + entry.emulated.beforeNs).toBe(outside.jump)
  expect(costs.libraryCallNs).toBe(110)
})

test('what disturbs some hits is told apart from what hits take, and from what others take by running', () => {
  const timings = new ProbeTimings()
  let now = 0
  let usualNs = 0
  const hit = (ns: number, extraNs: number, kind: EventKind, id: number) => {
    now += ns + extraNs
    if (extraNs < 1e6) usualNs += ns
    timings.event(asTraceNs(now), 0, 1, kind, id)
  }
  for (const [id, name] of shapeNames.entries()) {
    // The first one is only where the times begin.
    now += 5_000
    timings.event(asTraceNs(now), 0, 1, eventKind.entry, id)
    for (let call = 0; call < 100; call++) {
      if (['hooked', 'libraryCall', 'ret', 'jump'].includes(name)) hit(1_000, 0, eventKind.return, id)
      hit(6_000, call % 10 === 5 ? 30_000 : call === 70 ? 4_000_000 : 0, eventKind.entry, id)
    }
  }
  const { entry, return: hooked, disturbance } = timings.costs()!
  expect(entry.emulated.afterNs + hooked.beforeNs).toBe(1_000)
  expect(hooked.afterNs + entry.emulated.beforeNs).toBe(6_000)
  const perSecond = (10 * shapeNames.length * 1e9) / usualNs
  expect(disturbance?.ns).toBe(30_000)
  expect(Math.abs(disturbance!.perSecond / perSecond - 1)).toBeLessThan(0.02)
})

test('too few events say nothing', () => {
  expect(new ProbeTimings().costs()).toBeUndefined()
})
