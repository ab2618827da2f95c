import { spawn } from 'node:child_process'
import { expect, it } from 'vitest'
import { waitUntil } from '../../test/support/wait.ts'
import { asPid, asRuntimeAddress, asTid, asTraceNs } from '../base/units.ts'
import type { ProcessReport, StackReport } from '../bpf/kernel.ts'
import { processState } from '../target/process.ts'
import { ReportDesk } from './answer-reports.ts'
import type { ProcessTracer } from './process-tracer.ts'

/** No process has such a pid: the desk never waits for it, and nothing is sent to it. */
const pid = asPid(0x7fff_fff0)
const child = asPid(0x7fff_fff1)

function stackReport(kind: StackReport['kind'], wait: StackReport['wait']): StackReport {
  return {
    kind,
    pid,
    tid: asTid(pid),
    returns: [],
    mayHookAgain: true,
    trampoline: asRuntimeAddress(0x1000),
    wait,
    atNs: asTraceNs(0),
  }
}

/** A desk with these reports in front of it, in batches: each is there when the ones before are answered. */
function deskWith(...batches: ProcessReport[][]) {
  return deskOf(batches, true)
}

function deskOf(batches: ProcessReport[][], isTraced: boolean) {
  const said: string[] = []
  const say = (text: string) => () => said.push(text)
  const tracer = {
    isPlanned: true,
    loaded: say('loaded'),
    resume: say('resume'),
  } as unknown as ProcessTracer
  const desk = new ReportDesk(
    {
      nextReport: () => batches[0]?.shift(),
      hasReport: () => {
        if (batches[0]?.length === 0) batches.shift()
        return batches.length > 0
      },
      reportReady: async () => {},
      blockUntilReport: () => {},
    },
    {
      processes: { get: () => (isTraced ? tracer : undefined), attach: say('attach'), ended: say('ended') },
      follower: { beginImage: say('image'), beginChild: say('child') },
      unfollowed: { leave: say('leave') },
      returns: {
        unwinds: ({ wait }) => said.push('unwinds') > 0 && wait !== undefined,
        caught: ({ wait }) => said.push('caught') > 0 && wait !== undefined,
        heldUp: say('held up'),
        probeExits: say('probe exits'),
      },
    },
  )
  const answerAll = async () => {
    let turns = 0
    await desk.answerUntil(
      () => turns++ > 0,
      () => said.push('make room'),
      () => said.push('answered'),
    )
    expect(said.pop()).toBe('answered')
    return said
  }
  return { desk, said, answerAll }
}

it('has done what each report calls for, and attaches what is planned', async () => {
  const { desk, answerAll } = deskWith([
    { kind: 'exec', pid },
    { kind: 'loaded', pid },
    { kind: 'deep', pid, functionId: 3 },
    stackReport('unwinds', undefined),
  ])
  expect(await answerAll()).toEqual([
    ...['image', 'attach', 'loaded', 'attach', 'probe exits', 'attach', 'unwinds'],
    ...['held up', 'resume'],
  ])
  expect(desk.stopsText).toBe('1 exec, 1 loaded, 1 deep, 1 unwinds')
})

it('stops nobody for threads that wait on their CPU', async () => {
  const wait = { cpu: 0, number: 1 }
  const { desk, answerAll } = deskWith([stackReport('unwinds', wait)], [stackReport('caught', wait)])
  expect(await answerAll()).toEqual(['unwinds', 'caught'])
  expect(desk.stopsText).toBe('never; threads waited 2 times for their stacks')
})

it('continues a process once no thread of it has anything more to report', async () => {
  const { answerAll } = deskWith(
    [{ kind: 'full', pid }],
    [
      { kind: 'full', pid },
      { kind: 'loaded', pid },
    ],
  )
  expect(await answerAll()).toEqual(['loaded', 'attach', 'make room', 'resume'])
})

it('follows children, or lets them go', async () => {
  const { answerAll } = deskWith([
    { kind: 'forked', pid: child, parent: pid },
    { kind: 'left', pid: child, parent: pid },
  ])
  expect(await answerAll()).toEqual(['child', 'attach', 'leave', 'attach', 'resume'])
})

it('does not take an end for a stop', async () => {
  const { desk, answerAll } = deskWith([{ kind: 'ended', pid }])
  expect(await answerAll()).toContain('ended')
  expect(desk.stopsText).toBe('never')
})

it('lets children go that are born after the end, whether they were to be followed or not', () => {
  const { desk, said } = deskWith([
    { kind: 'forked', pid: child, parent: pid },
    { kind: 'left', pid: child, parent: pid },
    { kind: 'ended', pid },
    { kind: 'exec', pid },
  ])
  desk.continueAll()
  expect(said).toEqual(['leave', 'leave'])
})

it.each([
  ['loaded', 'S'],
  ['left', 'T'],
] as const)('of a process that is not traced any more: after %s its state is %s', async (kind, state) => {
  const sleeper = spawn('sleep', ['60'])
  try {
    const stopped = asPid(sleeper.pid!)
    sleeper.kill('SIGSTOP')
    await waitUntil(() => processState(stopped) === 'T')
    const report = kind === 'left' ? { kind, pid: stopped, parent: pid } : { kind, pid: stopped }
    await deskOf([[report]], false).answerAll()
    await waitUntil(() => processState(stopped) === state)
  } finally {
    sleeper.kill('SIGKILL')
  }
})

it('continues one that is not traced any more, though it stops only after its report', async () => {
  // It is busy for a while, as one is that has yet to get its signal.
  const busy = 'i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done; kill -STOP $$; exit 7'
  const late = spawn('sh', ['-c', busy])
  const ended = new Promise((resolve) => late.once('exit', resolve))
  try {
    await deskOf([[{ kind: 'loaded', pid: asPid(late.pid!) }]], false).answerAll()
    expect(await ended).toBe(7)
  } finally {
    late.kill('SIGKILL')
  }
}, 10_000)
