import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { openWorkshop, type Workshop } from '../../test/support/build-elf.ts'
import {
  buildDrivenTarget,
  conditions,
  type DrivenTarget,
  startDrivenTarget,
} from '../../test/support/driven-target.ts'
import { waitUntil } from '../../test/support/wait.ts'
import { type EventConsumer, type EventKind, eventKind } from '../base/event.ts'
import { asFileOffset, asPid, asRuntimeAddress, asTid, type FileOffset, type Tid } from '../base/units.ts'
import { processState, trampolineOf } from '../target/process.ts'
import { defaultRingBytes, Kernel, type ProbedInstruction, type ProcessReport } from './kernel.ts'
import { type BpfLink, detachAll } from './link.ts'
import { tracedProcesses } from './traced-processes.ts'

interface Event {
  readonly kind: EventKind
  readonly functionId: number
  readonly stack: number
  readonly tid: number
}

const breakpoint = 0xcc
const leafId = 5
const nodeId = 1_000_003

let workshop: Workshop
let file: string
beforeAll(() => {
  workshop = openWorkshop()
  file = buildDrivenTarget(workshop)
})
afterAll(() => workshop.remove())

const targets: DrivenTarget[] = []
const links: BpfLink[] = []
afterEach(async () => {
  await detach()
  for (const target of targets.splice(0)) target.stop()
})

/** Removes all probes. */
const detach = () => detachAll(links.splice(0))

async function startTarget(): Promise<DrivenTarget> {
  const target = await startDrivenTarget(file)
  targets.push(target)
  return target
}

/** Kernels of other versions have no sessions, or lay out what they know of a hit in another way. */
interface Version {
  readonly sessions?: boolean
  readonly runContext?: boolean
}
const versions: (readonly [string, Version])[] = [
  ['with sessions', {}],
  ['without sessions', { sessions: false }],
  ['with sessions, asked', { runContext: false }],
  ['without sessions, asked', { sessions: false, runContext: false }],
]

function openKernel(ringBytes = 1 << 20, options?: Version & { threads?: readonly Tid[] }): Kernel {
  return new Kernel(process.hrtime.bigint(), ringBytes, options)
}

function attach(kernel: Kernel, target: DrivenTarget, sites: readonly ProbedInstruction[]): void {
  links.push(...kernel.attach({ path: file, pid: target.pid, sites }))
}

/** Attaches to the target's functions. */
function attachCalls(kernel: Kernel, target: DrivenTarget, role: 'call' | 'entry' = 'call'): void {
  attach(kernel, target, [
    { offset: target.offsetOf('leaf'), functionId: leafId, role },
    { offset: target.offsetOf('node'), functionId: nodeId, role },
  ])
}

function drainAll(kernel: Kernel): Event[] {
  const events: Event[] = []
  const consumer: EventConsumer = {
    event: (_, stack, tid, kind, functionId) => events.push({ kind, functionId, stack, tid }),
  }
  while (kernel.drain(consumer) > 0);
  return events
}

async function nextReport(kernel: Kernel): Promise<ProcessReport> {
  let report: ProcessReport | undefined
  await waitUntil(() => {
    report = kernel.nextReport()
    return report !== undefined
  })
  return report!
}

describe.each(versions)('calls, %s', (_, version) => {
  test('entries and returns of nested calls, with the stack pointers of their return addresses', async () => {
    const kernel = openKernel(undefined, version)
    const target = await startTarget()
    attachCalls(kernel, target)
    await target.tell('calls 3')
    const events = drainAll(kernel)
    const outer = events[0]!.stack
    const inner = events[1]!.stack
    const tid = target.pid
    expect(inner).toBeLessThan(outer)
    expect(outer % 16).toBe(8)
    const once = [
      { kind: eventKind.entry, functionId: nodeId, stack: outer, tid },
      { kind: eventKind.entry, functionId: leafId, stack: inner, tid },
      { kind: eventKind.return, functionId: leafId, stack: inner, tid },
      { kind: eventKind.return, functionId: nodeId, stack: outer, tid },
    ]
    expect(events).toEqual([...once, ...once, ...once])
  })

  test('only calls of wanted threads are reported, by entries and hooked returns', async () => {
    const target = await startTarget()
    for (const [threads, expected] of [
      [[asTid(1)], 0],
      [[asTid(1), asTid(target.pid)], 12],
    ] as const) {
      const kernel = openKernel(undefined, { ...version, threads })
      attachCalls(kernel, target)
      await target.tell('calls 3')
      expect(drainAll(kernel)).toHaveLength(expected)
      await detach()
    }
  })

  test('a process that runs the same file is not touched', async () => {
    const kernel = openKernel(undefined, version)
    const target = await startTarget()
    const other = await startTarget()
    const before = other.byteAt('leaf')
    attachCalls(kernel, target)
    expect(target.byteAt('leaf')).toBe(breakpoint)
    expect(other.byteAt('leaf')).toBe(before)
    expect(other.byteAt('node')).not.toBe(breakpoint)
    await other.tell('calls 5')
    expect(drainAll(kernel)).toEqual([])
    const late = await startTarget()
    expect(late.byteAt('leaf')).toBe(before)
    await late.tell('calls 5')
    expect(drainAll(kernel)).toEqual([])
    await detach()
    expect(target.byteAt('leaf')).toBe(before)
    await target.tell('calls 5')
    expect(drainAll(kernel)).toEqual([])
  })

  test.each([1, 2])(
    'with a ring that is far too small and %i threads: seen and lost are what was made',
    async (threads) => {
      const callsEach = 100_000 / threads
      const kernel = openKernel(4096, version)
      const target = await startTarget()
      attachCalls(kernel, target)
      const seen = { entry: 0, return: 0, lost: 0 }
      const consumer: EventConsumer = {
        event: (_time, stack, _tid, kind) => {
          if (kind === eventKind.lost) seen.lost += stack
          else if (kind === eventKind.entry) seen.entry++
          else seen.return++
        },
      }
      let running = true
      const told = target.tell(`threads ${threads} ${callsEach}`).then(() => {
        running = false
      })
      while (running) {
        kernel.drain(consumer)
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
      await told
      await detach()
      while (kernel.drain(consumer) > 0);
      const unreported = kernel.unreportedLosses().reduce((sum, { count }) => sum + count, 0)
      expect(seen.entry).toBeGreaterThan(100)
      expect(seen.lost).toBeGreaterThan(1000)
      expect(seen.entry + seen.return + seen.lost + unreported).toBe(200_000)
    },
  )
})

describe('ways out', () => {
  test('entries alone', async () => {
    const kernel = openKernel()
    const target = await startTarget()
    attachCalls(kernel, target, 'entry')
    await target.tell('calls 2')
    const { entry } = eventKind
    expect(drainAll(kernel).map(({ kind, functionId }) => [kind, functionId])).toEqual([
      [entry, nodeId],
      [entry, leafId],
      [entry, nodeId],
      [entry, leafId],
    ])
  })

  test('a return that is not to be hooked is not hooked for the sake of another process either', async () => {
    const kernel = openKernel()
    const both = [await startTarget(), await startTarget()]
    for (const target of both) attachCalls(kernel, target, 'entry')
    for (const target of both) await target.tell('calls 2')
    expect(drainAll(kernel)).toHaveLength(8)
    // The kernel maps its trampoline when it first hooks a return. The entries are emulated, and need none.
    expect(both.map(({ pid }) => trampolineOf(pid))).toEqual([undefined, undefined])
  })

  test('a probed ret is at the stack pointer of the entry', async () => {
    const kernel = openKernel()
    const target = await startTarget()
    const ret = asFileOffset(target.offsetOf('leaf') + target.sizeOf('leaf') - 1)
    attach(kernel, target, [
      { offset: ret, functionId: leafId, role: 'exit' },
      { offset: target.offsetOf('leaf'), functionId: leafId, role: 'entry' },
    ])
    await target.tell('calls 1')
    const [entry, exit, ...rest] = drainAll(kernel)
    expect(rest).toEqual([])
    expect(exit).toEqual({ ...entry, kind: eventKind.ret })
  })

  test('a conditional jump counts when it is taken, for every condition and all flags', async () => {
    const kernel = openKernel()
    const target = await startTarget()
    const sites = conditions.map((name, condition) => ({
      offset: target.offsetOf(`at_${name}`),
      functionId: condition,
      condition,
      role: 'exit' as const,
    }))
    attach(kernel, target, sites)
    const answer = await target.tell('flags')
    const taken = [...answer.replace(' done', '')].map((digit) => digit === '1')
    expect(taken).toHaveLength(512)
    const expected = taken.map((_, index) => index % 16).filter((_, index) => taken[index])
    expect(drainAll(kernel).map(({ functionId }) => functionId)).toEqual(expected)
  })
})

describe('library calls', () => {
  test.each(versions)('count when they return into the program, %s', async (_, version) => {
    const kernel = openKernel(undefined, version)
    const target = await startTarget()
    const start = target.addressOf('node')
    const caller = {
      start: asRuntimeAddress(start),
      end: asRuntimeAddress(start + target.sizeOf('node')),
    }
    kernel.addProcess(target.pid, { caller, followForks: false, cleansChildren: false })
    const leaf = { offset: target.offsetOf('leaf'), functionId: leafId, isLibraryCall: true }
    const { entry, return: returned } = eventKind
    const kinds = () => drainAll(kernel).map(({ kind }) => kind)
    attach(kernel, target, [{ ...leaf, role: 'entry' }])
    await target.tell('threads 1 10')
    expect(kinds()).toEqual([])
    await target.tell('calls 4')
    expect(kinds()).toEqual([entry, entry, entry, entry])
    await detach()
    attach(kernel, target, [{ ...leaf, role: 'call' }])
    await target.tell('calls 2')
    expect(kinds()).toEqual([entry, returned, entry, returned])
    await target.tell('threads 1 10')
    expect(kinds().filter((kind) => kind === entry)).toEqual([])
  })
})

describe('while tracing', () => {
  test('a function’s returns can be left alone from now on', async () => {
    const kernel = openKernel()
    const target = await startTarget()
    attachCalls(kernel, target)
    kernel.leaveReturnAlone(leafId)
    await target.tell('calls 1')
    const { entry, return: returned } = eventKind
    expect(drainAll(kernel).map(({ kind, functionId }) => [kind, functionId])).toEqual([
      [entry, nodeId],
      [entry, leafId],
      [returned, nodeId],
    ])
  })

  test.each([true, false])('once closed, no call begins (sessions: %s)', async (sessions) => {
    const kernel = openKernel(undefined, { sessions })
    const target = await startTarget()
    attachCalls(kernel, target)
    await target.tell('calls 1')
    expect(drainAll(kernel)).toHaveLength(4)
    kernel.close()
    await target.tell('calls 10')
    expect(drainAll(kernel).filter(({ kind }) => kind === eventKind.entry)).toEqual([])
  })
})

describe('processes', () => {
  test('a command is stopped before its first instruction, and only the one that was meant', async () => {
    const kernel = openKernel()
    links.push(...kernel.attachTracepoints())
    expect(await runToEnd('true')).toBe(0)
    kernel.armStart(2)
    const child = spawn('env', ['sleep', '60'])
    const stop = await nextReport(kernel)
    expect(stop).toEqual({ kind: 'started', pid: child.pid })
    await waitUntil(() => processState(stop.pid) === 'T')
    expect(tracedProcesses(kernel.rescueFds.processesMap), 'for a guard').toEqual([child.pid])
    // Disarmed by then: others run as ever.
    expect(await runToEnd('true')).toBe(0)
    expect(kernel.nextReport()).toBeUndefined()
    process.kill(stop.pid, 'SIGCONT')
    await waitUntil(() => processState(stop.pid) === 'S')
    process.kill(stop.pid, 'SIGKILL')
    await once(child, 'exit')
  })

  test('the ends of threads and images are reported, of added processes alone', async () => {
    const kernel = openKernel()
    links.push(...kernel.attachTracepoints())
    const target = await startTarget()
    const other = await startTarget()
    const nowhere = { start: asRuntimeAddress(0), end: asRuntimeAddress(0) }
    kernel.addProcess(target.pid, { caller: nowhere, followForks: false, cleansChildren: false })
    await other.tell('threads 2 1')
    await target.tell('threads 3 1')
    const { exec, threadExit } = eventKind
    const ended = drainAll(kernel).filter(({ kind }) => kind === threadExit)
    expect(new Set(ended.map(({ tid }) => tid)).size).toBe(3)
    expect(ended).toHaveLength(3)
    target.child.stdin!.write('exec\n')
    await waitUntil(() => {
      if (kernel.nextReport()?.kind === 'exec') process.kill(target.pid, 'SIGCONT')
      return target.child.exitCode === 0
    })
    expect(drainAll(kernel).find(({ kind }) => kind === exec)?.stack).toBe(target.pid)
  })

  test('a process waits where its dynamic linker says that modules have changed', async () => {
    const kernel = openKernel()
    const target = await startTarget()
    links.push(kernel.attachLoader(file, target.offsetOf('node'), target.pid))
    const told = target.tell('calls 1')
    const stop = await nextReport(kernel)
    expect(stop).toEqual({ kind: 'loaded', pid: target.pid })
    await waitUntil(() => processState(target.pid) === 'T')
    process.kill(target.pid, 'SIGCONT')
    await told
    expect(kernel.nextReport()).toBeUndefined()
  })
})

async function runToEnd(program: string): Promise<number> {
  const [status] = (await once(spawn(program, []), 'exit')) as [number]
  return status
}

describe('refusals', () => {
  const refusal = async (pid: number, offset: FileOffset, path = file) => {
    const kernel = openKernel(4096)
    kernel.attach({ path, pid: asPid(pid), sites: [{ offset, functionId: 0, role: 'call' }] })
  }
  const nowhere = asFileOffset(2 ** 40)

  test('name the reason of the kernel', async () => {
    const target = await startTarget()
    const leaf = target.offsetOf('leaf')
    await expect(refusal(2 ** 22 - 1, leaf)).rejects.toMatchObject({ code: 'ESRCH' })
    await expect(refusal(target.pid, leaf, '/no/such/file')).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(refusal(target.pid, nowhere)).rejects.toMatchObject({ code: 'EINVAL' })
  })

  test.each([true, false])('a set is attached as a whole or not at all (sessions: %s)', async (sessions) => {
    const target = await startTarget()
    const kernel = openKernel(4096, { sessions })
    const sites = [target.offsetOf('leaf'), nowhere].map((offset) => ({ offset, functionId: 0 }))
    const tryAll = () =>
      attach(
        kernel,
        target,
        sites.map((site) => ({ ...site, role: 'call' })),
      )
    expect(tryAll).toThrow('EINVAL')
    await waitUntil(() => target.byteAt('leaf') !== breakpoint)
    const tryEntry = () =>
      attach(kernel, target, [
        { ...sites[0]!, role: 'call' },
        { ...sites[1]!, role: 'entry' },
      ])
    expect(tryEntry).toThrow('EINVAL')
    await waitUntil(() => target.byteAt('leaf') !== breakpoint)
  })
})

describe('defaultRingBytes', () => {
  test.each([
    [1, 16 << 20],
    [4, 16 << 20],
    [6, 8 << 20],
    [64, 1 << 20],
    [512, 1 << 20],
  ])('%i CPUs', (cpus, bytes) => {
    expect(defaultRingBytes(cpus)).toBe(bytes)
  })
})
