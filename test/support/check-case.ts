import { expect } from 'vitest'
import type { Case } from '../cases/case.ts'
import { compareWithOracle } from '../oracle/compare.ts'
import { argumentsFor, type Built, buildTarget, executableOf } from './build.ts'
import { run } from './process.ts'
import { callCounts, isCallEvent, lostEvents, malformation } from './trace.ts'
import { type Traced, temporaryFile, traceToJson } from './utrace.ts'

function expectTree(test: Case, built: Built, log: string, traced: Traced): void {
  const { events, difference } = compareWithOracle(built, log, traced.lines, {
    unwinds: test.unwinds ?? false,
  })
  // Its own error: an assertion would cut the text short.
  if (difference !== undefined)
    throw new Error(`the call tree is not the instrumented build's: ${difference}`)
  expect(events, 'events in the oracle').toBeGreaterThan(0)
}

function expectDetails(test: Case, traced: Traced): void {
  const counts = callCounts(traced.lines)
  const wanted = test.calls ?? {}
  expect(Object.fromEntries(Object.keys(wanted).map((name) => [name, counts.get(name) ?? 0]))).toEqual(wanted)
  const events = traced.lines.filter(isCallEvent)
  if (!test.unwinds) {
    const unwound = events.filter((event) => event.how === 'unwound').map((event) => event.symbol)
    expect(new Set(unwound), 'unwound, in a program that unwinds nothing').toEqual(new Set())
  }
  for (const [symbol, how] of Object.entries(test.ends ?? {})) {
    const end = events.findLast((event) => event.type === 'end' && event.symbol === symbol)
    expect(end?.how, `how ${symbol} ends`).toBe(how)
  }
  for (const [symbol, module] of Object.entries(test.modules ?? {})) {
    expect(events.find((event) => event.symbol === symbol)?.module, `module of ${symbol}`).toBe(module)
  }
  for (const name of test.names ?? []) expect(new Set(events.map((event) => event.name))).toContain(name)
  const notes = traced.lines.flatMap((line) => (line.type === 'note' ? line.text : []))
  for (const note of test.notes ?? []) expect(notes.join('\n')).toMatch(note)
  if (test.threads !== undefined) expect(new Set(events.map((event) => event.tid)).size).toBe(test.threads)
  if (test.functionsTraced !== undefined) {
    const [, number = ''] = /([\d,]+) functions traced/.exec(traced.messages.at(-1) ?? '') ?? []
    expect(Number(number.replaceAll(',', ''))).toBeGreaterThanOrEqual(test.functionsTraced)
  }
  if (test.summary !== undefined) expect(traced.messages.at(-1)).toMatch(test.summary)
}

/** Traces a target and compares: with an untraced run, with what the case says, and with the oracle. */
export async function checkCase(test: Case): Promise<void> {
  const built = await buildTarget(test.build)
  const inFolder = (folder: string) => argumentsFor(test.args, folder)
  // Detaching waits for the kernel: ten seconds and more where several tracers run at once.
  const input = { timeoutMs: 60_000, ...(test.input !== undefined && { input: test.input }) }
  const plain = executableOf(built.plain, built.name)
  const untraced = await run(plain, inFolder(built.plain), input)
  const traced = await traceToJson(test.options ?? [], ['--', plain, ...inFolder(built.plain)], input)
  expect(traced.timedOut, `utrace hangs: ${traced.stderr.slice(0, 500)}`).toBe(false)
  expect(
    { status: traced.status, stdout: traced.stdout, stderr: traced.targetStderr },
    `what the target does, traced and untraced; utrace says ${traced.messages.join(' | ')}`,
  ).toEqual({ status: untraced.status, stdout: untraced.stdout, stderr: untraced.stderr })
  expect(malformation(traced.lines)).toBeUndefined()
  expect(lostEvents(traced.lines), 'lost events').toBe(0)
  expectDetails(test, traced)
  if (test.tree === 'none') return
  const log = temporaryFile('.oracle')
  try {
    const instrumented = executableOf(built.instrumented, built.name)
    const env = { ...process.env, ORACLE_LOG: log.path }
    const truth = await run(instrumented, inFolder(built.instrumented), { ...input, env })
    expect(truth.status, `instrumented build: ${truth.stderr}`).toBe(untraced.status)
    expectTree(test, built, log.path, traced)
  } finally {
    log.remove()
  }
}
