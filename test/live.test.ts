import { copyFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { buildTarget, executableOf, plainProgram } from './support/build.ts'
import { peakMemoryMb } from './support/memory.ts'
import { type Outcome, run } from './support/process.ts'
import { begin, scratch } from './support/scratch.ts'
import { callCounts, isCallEvent, lostEvents, malformation, parseTrace } from './support/trace.ts'
import { splitStderr, traceToJson, utrace } from './support/utrace.ts'
import { waitUntil } from './support/wait.ts'

/** Ends in time, or the test fails. */
async function inTime(outcome: Promise<Outcome>, milliseconds: number): Promise<Outcome> {
  const late = sleep(milliseconds, undefined, { ref: false }).then(() => {
    throw new Error(`still running after ${milliseconds} ms`)
  })
  return await Promise.race([outcome, late])
}

async function runningTarget(source: string) {
  const target = await buildTarget({ source, flags: ['-O2'], plainOnly: true })
  const stopFile = scratch()
  const started = begin(executableOf(target.plain, target.name), [stopFile.path])
  await waitUntil(() => started.texts.stdout.includes('running'))
  return { ...started, endInOrder: () => writeFileSync(stopFile.path, '') }
}

describe('attaching', () => {
  it.each([
    ['hot-loop.c', 'stopped in order', 2],
    ['busy-loop.c', 'consistent', 1],
  ] as const)('to %s: no phantom levels, and the target lives on', async (source, ending, threads) => {
    const target = await runningTarget(source)
    const output = scratch('.jsonl')
    const tracer = begin(utrace, ['--format', 'jsonl', '-o', output.path, '-p', String(target.pid)])
    await waitUntil(() => output.read().length > 100_000)
    tracer.child.kill('SIGINT')
    const traced = await inTime(tracer.outcome, 90_000)
    expect(traced.status, traced.stderr).toBe(0)
    const lines = parseTrace(output.read())
    expect(malformation(lines)).toBeUndefined()
    const parents: Record<string, readonly string[]> = {
      // What may lie above each function; a call that was open at the attach may be missing.
      leaf: ['middle', 'outer', ''],
      middle: ['outer', 'recursive', ''],
      recursive: ['recursive', 'outer', ''],
      outer: ['loop', 'main', ''],
    }
    const open = new Map<number, string[]>()
    for (const event of lines.filter(isCallEvent)) {
      const stack = open.get(event.tid) ?? []
      open.set(event.tid, stack)
      if (event.type === 'end') stack.pop()
      else {
        expect(parents[event.symbol] ?? [stack.at(-1) ?? '']).toContain(stack.at(-1) ?? '')
        stack.push(event.symbol)
        expect(stack.length, stack.join(' > ')).toBeLessThanOrEqual(10)
      }
    }
    expect(callCounts(lines).get('outer')).toBeGreaterThan(10)
    expect(new Set(lines.filter(isCallEvent).map(({ tid }) => tid)).size).toBeLessThanOrEqual(threads)
    expect(splitStderr(traced.stderr).own.at(-1)).toMatch(/calls.*events? lost/)
    expect(target.child.exitCode).toBeNull()
    target.endInOrder()
    const ended = await inTime(target.outcome, 5_000)
    expect(ended).toMatchObject({ status: 0, stdout: `running\n${ending}\n` })
  })

  it('ends when it is told to, though more is called than it can read', async () => {
    const target = begin(await plainProgram('overload.c'), ['2', '2000000000'])
    const output = scratch('.jsonl')
    const words = ['--format', 'jsonl', '-o', output.path, '-p', String(target.pid)]
    const tracer = begin(utrace, words)
    await waitUntil(() => (statSync(output.path, { throwIfNoEntry: false })?.size ?? 0) > 200_000_000)
    tracer.child.kill('SIGTERM')
    const traced = await inTime(tracer.outcome, 60_000)
    expect(traced.status, traced.stderr).toBe(128 + 15)
    expect(target.child.exitCode).toBeNull()
  })

  it('does not take calls for longer than they were, though their end is not seen when it ends', async () => {
    const target = await runningTarget('naps.c')
    const output = scratch('.jsonl')
    const cut: number[] = []
    for (let round = 0; round < 4; round++) {
      const words = ['--raw-times', '--duration', '300ms', '--format', 'jsonl', '-o', output.path]
      const traced = await run(utrace, [...words, '-p', String(target.pid)], { timeoutMs: 90_000 })
      expect(traced.status, traced.stderr).toBe(0)
      const lines = parseTrace(output.read())
      expect(malformation(lines)).toBeUndefined()
      const ends = lines.filter(isCallEvent).filter(({ symbol, how }) => symbol === 'nap' && how === 'cut')
      cut.push(...ends.map(({ durationNs = Number.NaN }) => durationNs))
    }
    target.endInOrder()
    const { stdout } = await inTime(target.outcome, 5_000)
    const longestNs = Number(/(\d+) ns/.exec(stdout)![1])
    // It naps nearly all the time.
    expect(cut.length).toBeGreaterThan(0)
    expect(Math.max(...cut)).toBeLessThanOrEqual(longestNs)
  })

  it('ends when the target ends', async () => {
    const target = await runningTarget('hot-loop.c')
    const output = scratch()
    const tracer = begin(utrace, ['-o', output.path, '-p', String(target.pid)])
    await waitUntil(() => output.read().includes('outer'))
    target.endInOrder()
    expect(await inTime(target.outcome, 5_000)).toMatchObject({
      status: 0,
      stdout: 'running\nstopped in order\n',
    })
    expect((await inTime(tracer.outcome, 5_000)).status).toBe(0)
  })

  it('leaves the target as it was when utrace is killed', async () => {
    const target = await runningTarget('busy-loop.c')
    const output = scratch()
    const tracer = begin(utrace, ['-o', output.path, '-p', String(target.pid)])
    await waitUntil(() => output.read().includes('outer'))
    tracer.child.kill('SIGKILL')
    await inTime(tracer.outcome, 5_000)
    await sleep(200)
    target.endInOrder()
    expect(await inTime(target.outcome, 10_000)).toMatchObject({ status: 0, stdout: 'running\nconsistent\n' })
  })

  it('twice at once and again afterwards', async () => {
    const target = await runningTarget('hot-loop.c')
    const outputs = [scratch(), scratch()]
    const tracers = outputs.map(({ path }) => begin(utrace, ['-o', path, '-p', String(target.pid)]))
    await waitUntil(() => outputs.every((output) => output.read().includes('outer')))
    for (const tracer of tracers) tracer.child.kill('SIGINT')
    for (const tracer of tracers) expect((await inTime(tracer.outcome, 90_000)).status).toBe(0)
    const again = scratch()
    const third = begin(utrace, ['-o', again.path, '-p', String(target.pid)])
    await waitUntil(() => again.read().includes('outer'))
    third.child.kill('SIGTERM')
    await inTime(third.outcome, 10_000)
    target.endInOrder()
    expect(await inTime(target.outcome, 5_000)).toMatchObject({
      status: 0,
      stdout: 'running\nstopped in order\n',
    })
  })
})

describe('attaching to the job of an interactive shell', () => {
  it('does not make the shell take it for stopped, though it throws', async () => {
    const built = await buildTarget({ source: 'throwing-loop.cpp', flags: ['-O2'], plainOnly: true })
    const stopFile = scratch()
    const output = scratch('.jsonl')
    const terminal = begin('script', ['-qfec', 'bash --norc -i', '/dev/null'], {
      env: { ...process.env, PS1: '$ ' },
    })
    const type = (line: string) => terminal.child.stdin?.write(`${line}\n`)
    type(`${executableOf(built.plain, built.name)} ${stopFile.path}; jobs; echo status $?; exit`)
    await waitUntil(() => terminal.texts.stdout.includes('running\r\n'))
    const tracer = begin(utrace, ['--format', 'jsonl', '-o', output.path, '-p', String(jobOf(terminal.pid))])
    const unwound = () =>
      parseTrace(output.read().replace(/[^\n]*$/, '')).filter(
        (line) => isCallEvent(line) && line.how === 'unwound',
      )
    await waitUntil(() => unwound().length > 2)
    writeFileSync(stopFile.path, '')
    const outcome = await inTime(terminal.outcome, 20_000)
    expect(outcome.stdout).toContain('stopped in order\r\nstatus 0\r\n')
    expect(outcome.stdout).not.toContain('Stopped')
    expect((await inTime(tracer.outcome, 90_000)).status).toBe(0)
  })

  /** The program that runs in the terminal: the last of a line of shells, of which `script` starts one or two. */
  function jobOf(pid: number): number {
    const child = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
    return child ? jobOf(Number(child)) : pid
  }
})

describe('recursion 10,000 deep', () => {
  it('has the true end of every call but those that were on the stack when it was discovered', async () => {
    const built = await buildTarget({ source: 'deep-recursion.c', flags: ['-O0'], plainOnly: true })
    const words = ['--', executableOf(built.plain, built.name), '10000', '300']
    const traced = await traceToJson([], words, { timeoutMs: 60_000 })
    expect(traced.stdout).toBe('10000 1\n10000 2\n10000 3\n')
    expect(malformation(traced.lines)).toBeUndefined()
    expect(callCounts(traced.lines).get('descend')).toBe(30_000)
    const ends = traced.lines
      .filter(isCallEvent)
      .filter(({ type, symbol }) => type === 'end' && symbol === 'descend')
    const rounds = [0, 1, 2].map((round) => ends.slice(round * 10_000, (round + 1) * 10_000))
    const hows = rounds.map((round) => new Set(round.map(({ how }) => how)))
    expect([...hows[0]!].sort()).toEqual(['inferred', 'return'])
    expect(hows.slice(1).map((round) => [...round])).toEqual([['return'], ['return']])
  })
})

describe('a program that throws and throws', () => {
  it('is held up for a moment each time, and another one that runs the same file never is', async () => {
    const built = await buildTarget({ source: 'throwing-loop.cpp', flags: ['-O2'], plainOnly: true })
    const watcher = await buildTarget({ source: 'watches-child.c', flags: ['-O2'], plainOnly: true })
    const program = executableOf(built.plain, built.name)
    const stopFile = scratch()
    const output = scratch('.jsonl')
    const bystander = begin(executableOf(watcher.plain, watcher.name), [program, stopFile.path])
    const words = ['-d', '--format', 'jsonl', '-o', output.path, '--', program, stopFile.path]
    const tracer = begin(utrace, words)
    const unwound = () => output.read().match(/"how":"unwound"/g)?.length ?? 0
    await waitUntil(() => unwound() > 100)
    writeFileSync(stopFile.path, '')
    const traced = await inTime(tracer.outcome, 90_000)
    expect(traced).toMatchObject({ status: 0, stdout: 'running\nstopped in order\n' })
    expect(traced.stderr).toMatch(/; threads waited .* for utrace\n/)
    const ends = parseTrace(output.read()).filter((line) => isCallEvent(line) && line.type === 'end')
    const inferred = ends.filter((end) => isCallEvent(end) && end.how === 'inferred')
    expect(inferred).toEqual([])
    expect((await inTime(bystander.outcome, 10_000)).stdout).toBe(
      'running\nstopped in order\n0 stopped, 0 continued, status 0\n',
    )
  })
})

describe('attaching to a program whose file is not where it was', () => {
  it.each(['deleted', 'replaced'])('%s', async (what) => {
    const built = await buildTarget({ source: 'hot-loop.c', flags: ['-O2'], plainOnly: true })
    const program = scratch()
    copyFileSync(executableOf(built.plain, built.name), program.path)
    const stopFile = scratch()
    const target = begin(program.path, [stopFile.path])
    await waitUntil(() => target.texts.stdout.includes('running'))
    // A running program's file can be replaced only as installers do it: by another file of the same name.
    rmSync(program.path)
    if (what === 'replaced') writeFileSync(program.path, 'something else')
    await expectTraced(target.pid)
    writeFileSync(stopFile.path, '')
    expect(await inTime(target.outcome, 5_000)).toMatchObject({
      status: 0,
      stdout: 'running\nstopped in order\n',
    })
  })

  it('in another mount namespace', async () => {
    const built = await buildTarget({ source: 'hot-loop.c', flags: ['-O2'], plainOnly: true })
    const stopFile = scratch()
    const folder = scratch()
    mkdirSync(folder.path)
    const script = 'mount -t tmpfs none "$1" && cp "$2" "$1/program" && exec "$1/program" "$3"'
    const words = [
      '-m',
      'sh',
      '-c',
      script,
      'sh',
      folder.path,
      executableOf(built.plain, built.name),
      stopFile.path,
    ]
    const target = begin('unshare', words)
    await waitUntil(() => target.texts.stdout.includes('running'))
    await expectTraced(target.pid)
    writeFileSync(stopFile.path, '')
    expect(await inTime(target.outcome, 5_000)).toMatchObject({
      status: 0,
      stdout: 'running\nstopped in order\n',
    })
  })

  async function expectTraced(pid: number): Promise<void> {
    const output = scratch()
    const tracer = begin(utrace, ['-o', output.path, '-p', String(pid)])
    await waitUntil(() => /outer|middle/.test(output.read()) || tracer.child.exitCode !== null)
    tracer.child.kill('SIGINT')
    const outcome = await inTime(tracer.outcome, 90_000)
    expect(output.read(), outcome.stderr).toMatch(/outer|middle/)
  }
})

describe('a program that utrace has started', () => {
  it('gets Ctrl-C once, with its own way to end, and utrace prints what it has', async () => {
    const target = await buildTarget({ source: 'interrupted.c', flags: ['-O2'], plainOnly: true })
    const output = scratch('.jsonl')
    const words = ['--format', 'jsonl', '-o', output.path, '--', executableOf(target.plain, target.name)]
    // As on a terminal: the signal goes to the whole process group.
    const tracer = begin(utrace, words, { detached: true })
    await waitUntil(() => tracer.texts.stdout.includes('ready'))
    process.kill(-tracer.pid, 'SIGINT')
    const traced = await inTime(tracer.outcome, 90_000)
    expect(traced.stdout).toBe('ready\ninterrupted 1 times\n')
    expect(traced.status, traced.stderr).toBe(6)
    const lines = parseTrace(output.read())
    expect(malformation(lines)).toBeUndefined()
    expect(callCounts(lines).get('on_interrupt')).toBe(1)
  })

  it('is on the screen while it runs', async () => {
    const tracer = begin(utrace, ['--', 'sh', '-c', 'read line'], { stdio: ['pipe', 'ignore', 'pipe'] })
    await waitUntil(() => tracer.texts.stderr.includes('read'))
    expect(tracer.child.exitCode).toBeNull()
    tracer.child.stdin?.end('\n')
    expect((await inTime(tracer.outcome, 90_000)).status).toBe(0)
  })

  it('is shown within 50 ms', async () => {
    const target = await buildTarget({ source: 'reads-stdin.c', flags: ['-O2'] })
    const tracer = begin(utrace, ['-f', 'vowels', '-l', '', '--', executableOf(target.plain, target.name)])
    const delays: number[] = []
    for (let line = 1; line <= 7; line++) {
      tracer.child.stdin?.write(`line ${line}\n`)
      await waitUntil(() => tracer.texts.stdout.includes(`line ${line}\n`))
      const answered = performance.now()
      await waitUntil(() => (tracer.texts.stderr.match(/vowels\(\);/g)?.length ?? 0) >= line)
      delays.push(performance.now() - answered)
      // Whether utrace looks for events, or sleeps until there are some.
      await sleep(line % 2 === 0 ? 10 : 400)
    }
    tracer.child.stdin?.end()
    expect((await inTime(tracer.outcome, 90_000)).status).toBe(0)
    // The machine may be busy with something else once in a while.
    expect(delays.sort((a, b) => a - b)[3], delays.join(' ')).toBeLessThan(50)
  })

  it('may lose its reader: `| head -1` ends utrace quietly', async () => {
    const target = await buildTarget({ source: 'recursion.c', flags: ['-O2'] })
    const script = 'set -o pipefail; "$0" -- "$1" 2>&1 >/dev/null | head -n 1; echo "status $?"'
    const words = ['-c', script, utrace, executableOf(target.plain, target.name)]
    const outcome = await run('bash', words)
    expect(outcome).toMatchObject({ timedOut: false, stderr: '' })
    expect(outcome.stdout).toMatch(/^ *DURATION \| FUNCTION\nstatus \d+\n$/)
  })

  it('reads the terminal that it was started on', async () => {
    const target = await buildTarget({ source: 'reads-stdin.c', flags: ['-O2'] })
    const command = `'${utrace}' -o /dev/null -- '${executableOf(target.plain, target.name)}'`
    const outcome = await run('script', ['-qec', command, '/dev/null'], { input: 'hello\n\u0004' })
    expect(outcome.stdout).toContain('2 hello')
    expect(outcome.stdout).toContain('end')
    expect(outcome.status).toBe(0)
  })

  it('may have a name with quotes and blanks', async () => {
    const target = await buildTarget({ source: 'arguments.c', flags: ['-O2'] })
    const program = scratch(` "it's" \\ \u202e`)
    await run('cp', [executableOf(target.plain, target.name), program.path])
    const outcome = await run(utrace, ['--libname', '--', program.path, 'x'])
    expect(outcome).toMatchObject({ status: 0, stdout: '[x]\n' })
    expect(Buffer.from(outcome.stderr, 'latin1').toString()).not.toContain('\u202e')
  })
})

describe('a million calls', () => {
  const million = () => buildTarget({ source: 'million.c', flags: ['-O2'], plainOnly: true })
  const made = 1_000_001

  it('are accounted for in a file, in bounded memory', async () => {
    const target = await million()
    const output = scratch('.jsonl')
    const tracer = begin(utrace, [
      ...['--format', 'jsonl', '-f', 'main,tiny', '-l', '', '-o', output.path],
      ...['--', executableOf(target.plain, target.name)],
    ])
    const peak = peakMemoryMb(tracer)
    const traced = await inTime(tracer.outcome, 60_000)
    expect(traced).toMatchObject({ status: 0, stdout: '1000000\n' })
    expect(await peak, 'MB of utrace itself').toBeLessThan(200)
    const { begins, lost } = accountOf(output.path)
    expect(begins * 2 + lost).toBe(made * 2)
  })

  it('are accounted for when stderr is a file, at full speed', async () => {
    const target = await million()
    const output = scratch()
    const script = 'exec "$0" -f main,tiny -l "" -- "$1" 2>"$2"'
    const words = ['-c', script, utrace, executableOf(target.plain, target.name), output.path]
    const outcome = await run('sh', words, { timeoutMs: 60_000 })
    expect(outcome).toMatchObject({ status: 0, stdout: '1000000\n' })
    const text = output.read()
    const printed = text.match(/\| +tiny\(\)(?:;| \{)/g)?.length ?? 0
    const [, calls = '', lost = ''] = /\nutrace: ([\d,]+) calls.* ([\d,]+) events? lost/.exec(text) ?? []
    const number = (grouped: string) => Number(grouped.replaceAll(',', ''))
    expect(number(calls)).toBe(printed + 1)
    expect(number(calls) * 2 + number(lost)).toBe(made * 2)
  })

  function accountOf(path: string): { begins: number; lost: number } {
    const lines = parseTrace(readFileSync(path, 'utf8'))
    expect(malformation(lines)).toBeUndefined()
    const begins = lines.filter((line) => line.type === 'begin').length
    return { begins, lost: lostEvents(lines) }
  }
})
