import type { Case } from './case.ts'
import { matrix } from './matrix.ts'

const target = (source: string, rest: Partial<Case> = {}): Case => ({
  name: source,
  build: { source, flags: ['-O2'] },
  ...rest,
})

/** What a program does as a process: threads, ends, streams, children. */
export const processCases: readonly Case[] = [
  ...matrix({ name: 'threads', build: { source: 'threads.c' }, threads: 6 }),
  target('thread-churn.c', { threads: 41, calls: { work: 40, inner: 40, pair: 20 } }),
  target('status.c', { name: 'a program that ends with 3', ends: { main: 'return' } }),
  target('status.c', { name: 'a program that ends with 255', args: ['255'] }),
  ...['abort', 'segv', 'kill', 'term', 'fpe'].map((how) =>
    target('dies.c', { name: `a program that dies: ${how}`, args: [how], ends: { main: 'cut', die: 'cut' } }),
  ),
  target('reads-stdin.c', { input: 'hello world\nand more\n', calls: { vowels: 2 } }),
  target('both-streams.c', { calls: { say: 20 } }),
  target('big-output.c', { calls: { block: 1024 } }),
  target('arguments.c', {
    args: ['a b', '', '"quoted"', "it's", '\\', '$HOME', '-c', '--', 'ä'],
    calls: { show: 9 },
  }),
  target('no-arguments.c', { calls: { main: 1, nothing: 1 } }),
  target('inherited.c', { tree: 'none' }),
  target('fork-wait.c'),
  target('spawns.c', { calls: { prepare: 1, by_vfork: 1, by_spawn: 1, by_system: 1 } }),
  target('exec.c', {
    calls: { before: 1, replace: 1 },
    ends: { before: 'return', replace: 'cut', main: 'cut' },
  }),
]
