import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { failureOf, NotMeasured, type Run } from './measure.ts'
import { utrace } from './paths.ts'

/** Which functions of a program are traced, for tools that each spell it in their own way. */
export interface TracedFunctions {
  /** Options of utrace. */
  readonly utrace: readonly string[]
  /** The file that the functions are in, if it is not the program itself. */
  readonly file?: string
  /** Linkage names. */
  readonly symbols: readonly string[]
}

/** One run of a tool around a program. */
export interface Job {
  readonly program: string
  readonly amount: number
  readonly functions: TracedFunctions
  /** A folder that is emptied after the run. */
  readonly scratch: string
  /** utrace with empty BPF programs. */
  readonly floor: string
}

/** A row of the tables. */
export interface Tool {
  readonly name: string
  /** The program is compiled for it: with `-pg`, for uftrace. */
  readonly variant?: 'pg'
  /** Slow tools run a part of the calls and fewer rounds. */
  readonly share?: number
  readonly rounds?: number
  command(job: Job): readonly string[]
  /** Events that did not reach the tool, of two per call; undefined where the question makes no sense. */
  lost?(job: Job, run: Run, calls: number): number
  readonly environment?: NodeJS.ProcessEnv
}

const trace = (job: Job) => join(job.scratch, 'trace')
const programWords = ({ program, amount }: Job) => [program, String(amount)]

export const native: Tool = { name: 'native', command: programWords }

function utraceTool(name: string, options: (job: Job) => readonly string[], extra: Partial<Tool> = {}): Tool {
  return {
    name,
    command: (job) => [utrace, ...options(job), ...job.functions.utrace, '--', ...programWords(job)],
    lost: utraceLoss,
    ...extra,
  }
}

const summaryPattern = /^utrace: ([\d,]+) calls?, .*? ([\d,]+) events? lost/m

/** The calls and lost events of utrace's summary. @throws NotMeasured if there is none */
export function utraceSummary(run: Run): { calls: number; lost: number } {
  const found = summaryPattern.exec(run.stderr)
  if (found === null) throw new NotMeasured(failureOf(run))
  const [calls, lost] = found.slice(1).map((digits) => Number(digits.replaceAll(',', '')))
  return { calls: calls!, lost: lost! }
}

/** @throws NotMeasured if utrace has not accounted for every call */
function utraceLoss(_: Job, run: Run, calls: number): number {
  const summary = utraceSummary(run)
  if (summary.calls + summary.lost < calls) {
    throw new NotMeasured(`${calls} calls made, only ${summary.calls} seen and ${summary.lost} events lost`)
  }
  return summary.lost
}

export const floor: Tool = {
  name: "kernel's floor",
  command: (job) => [job.floor, '-o', '/dev/null', ...job.functions.utrace, '--', ...programWords(job)],
  lost: (_, run) => {
    if (utraceSummary(run).calls === 0) return 0
    throw new NotMeasured('bench/floor.bpf.c does not replace every program of bpf/utrace.bpf.c that records')
  },
}

export const utraceFile = utraceTool('utrace -o FILE', (job) => ['-o', trace(job)])
export const utraceNull = utraceTool('utrace -o /dev/null', () => ['-o', '/dev/null'])
export const utraceJson = utraceTool('utrace --format jsonl -o FILE', (job) => [
  '--format',
  'jsonl',
  '-o',
  trace(job),
])
export const utraceRet = utraceTool('utrace --exit-probe ret -o FILE', (job) => [
  '--exit-probe',
  'ret',
  '-o',
  trace(job),
])
export const utraceEntry = utraceTool('utrace --placement entry -o FILE', (job) => [
  '--placement',
  'entry',
  '-o',
  trace(job),
])
/** Calls that take less are left out in the kernel: nothing is sent. */
export const utraceTime = utraceTool('utrace --time-filter 1ms -o FILE', (job) => [
  '--time-filter',
  '1ms',
  '-o',
  trace(job),
])
export const utraceSample: Tool = {
  name: 'utrace --sample 1/100 -o FILE',
  command: (job) => [
    ...[utrace, '--sample', '1/100', '-o', trace(job), ...job.functions.utrace, '--'],
    ...programWords(job),
  ],
}
/** All calls but the outermost one are left out: what is left is an entry probe for each. */
export const utraceDepth: Tool = {
  name: 'utrace --max-depth 1 -o FILE',
  command: (job) => [
    ...[utrace, '--max-depth', '1', '-o', trace(job), ...job.functions.utrace, '--'],
    ...programWords(job),
  ],
}
export const utraceRecord: Tool = {
  name: 'utrace record -o FILE',
  command: (job) => [utrace, 'record', '-o', trace(job), ...job.functions.utrace, '--', ...programWords(job)],
}

export const utraceStat: Tool = {
  name: 'utrace stat',
  command: (job) => [utrace, 'stat', '-o', trace(job), ...job.functions.utrace, '--', ...programWords(job)],
  lost: (_, run, calls) => {
    const counted = /^utrace: ([\d,]+) calls?, /m.exec(run.stderr)?.[1]
    if (counted === undefined) throw new NotMeasured(failureOf(run))
    return Math.max(0, 2 * (calls - Number(counted.replaceAll(',', ''))))
  },
}

/** An action for entries and one for returns. bpftrace takes a command as one word. */
function bpftrace(name: string, action: (map: string) => string, lost: Tool['lost'], share: number): Tool {
  return {
    name,
    share,
    rounds: 3,
    command: (job) => {
      const file = job.functions.file ?? job.program
      // It would count every process that uses the library.
      const filter = job.functions.file === undefined ? '' : '/pid == cpid/ '
      const clause = (kind: string, map: string) =>
        `${job.functions.symbols.map((symbol) => `${kind}:${file}:${symbol}`).join(',')} ${filter}{ ${action(map)} }`
      const script = `${clause('uprobe', 'entries')} ${clause('uretprobe', 'returns')}`
      return ['bpftrace', '-o', trace(job), '-c', programWords(job).join(' '), '-e', script]
    },
    ...(lost && { lost }),
    environment: { BPFTRACE_MAX_PROBES: '100000' },
  }
}

export const bpftraceCount = bpftrace(
  'bpftrace, counting',
  (map) => `@${map}[func] = count();`,
  (job, run, calls) => {
    const counts = [...readFileSync(trace(job), 'utf8').matchAll(/^@(?:entries|returns)\[.*\]: (\d+)$/gm)]
    if (counts.length === 0) throw new NotMeasured(failureOf(run))
    return Math.max(0, 2 * calls - counts.reduce((sum, [, times]) => sum + Number(times), 0))
  },
  1,
)

export const bpftracePrint = bpftrace(
  'bpftrace, printing',
  (map) => `printf("%lld ${map} %llx\\n", nsecs, reg("ip"));`,
  (job) => {
    const losses = readFileSync(trace(job), 'utf8').matchAll(/^Lost (\d+) events$/gm)
    return [...losses].reduce((sum, [, events]) => sum + Number(events), 0)
  },
  0.2,
)

const uftraceLoss: Tool['lost'] = (_, run) => {
  const losses = [...`${run.stdout}\n${run.stderr}`.matchAll(/LOST (\d+)|(\d+) records? lost/gi)]
  return losses.reduce((sum, [, first, second]) => sum + Number(first ?? second), 0)
}

export const uftracePg: Tool = {
  name: 'uftrace, recompiled with -pg',
  variant: 'pg',
  command: (job) => [
    ...['uftrace', 'record', '--no-libcall', '--no-event', '-d', trace(job)],
    ...programWords(job),
  ],
  lost: uftraceLoss,
}

export const uftraceDynamic: Tool = {
  name: 'uftrace -P.',
  command: (job) => [
    ...['uftrace', 'record', '--no-libcall', '--no-event', '-P.', '-d', trace(job)],
    ...programWords(job),
  ],
  lost: uftraceLoss,
}

export const ltrace: Tool = {
  name: 'ltrace -o FILE',
  share: 0.01,
  rounds: 3,
  command: (job) => ['ltrace', '-o', trace(job), '-e', job.functions.symbols.join('+'), ...programWords(job)],
}

export const gdb: Tool = {
  name: 'gdb, counting breakpoint',
  share: 0.002,
  rounds: 3,
  command: (job) => {
    const steps = [
      'set debuginfod enabled off',
      'set startup-with-shell off',
      `break ${job.functions.symbols[0]}`,
      'ignore 1 1000000000',
      'run',
      'info breakpoints',
    ]
    return [
      ...['gdb', '-q', '-batch', '-nx', ...steps.flatMap((step) => ['-ex', step])],
      '--args',
      ...programWords(job),
    ]
  },
  lost: (_, run, calls) => {
    const hits = /already hit (\d+) times?/.exec(run.stdout)?.[1]
    if (hits === undefined) throw new NotMeasured(failureOf(run))
    // It does not see returns at all: what is counted is entries.
    return Math.max(0, calls - Number(hits))
  },
}

export const callgrind: Tool = {
  name: 'valgrind --tool=callgrind',
  rounds: 3,
  command: (job) => [
    ...['valgrind', '-q', '--tool=callgrind', `--callgrind-out-file=${trace(job)}`],
    ...programWords(job),
  ],
}
