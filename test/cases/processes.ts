import type { Case } from './case.ts'
import { program } from './matrix.ts'

/** What a program does as a process: threads, ends, streams, children. */
export const processCases: readonly Case[] = [
  ...program('threads.c', { threads: 6 }),
  ...program('thread-churn.c', { threads: 41, calls: { work: 40, inner: 40, pair: 20 } }),
  ...program('leader-exits.c', { unwinds: true, threads: 2, ends: { run: 'return' } }),

  ...program('status.c', { name: 'a program that ends with 3', ends: { main: 'return' } }),
  ...program('status.c', { name: 'a program that ends with 255', args: ['255'] }, /-O2$/),
  ...['abort', 'segv', 'kill', 'term', 'fpe'].flatMap((how) =>
    program(
      'dies.c',
      { name: `a program that dies: ${how}`, args: [how], ends: { main: 'cut', die: 'cut' } },
      how === 'abort' ? /./ : /-O[02]$/,
    ),
  ),

  ...program('reads-stdin.c', { input: 'hello world\nand more\n', calls: { vowels: 2 } }),
  ...program('both-streams.c', { calls: { say: 20 } }),
  ...program('big-output.c', { calls: { block: 1024 } }),
  ...program('arguments.c', {
    args: ['a b', '', '"quoted"', "it's", '\\', '$HOME', '-c', '--', 'ä'],
    calls: { show: 9 },
  }),
  ...program('no-arguments.c', { calls: { main: 1, nothing: 1 } }),
  ...program('inherited.c', { tree: 'none' }),

  ...program('fork-wait.c'),
  ...program('fork-threads.c'),
  ...program('fork-exceptions.cpp', { unwinds: true, calls: { _Z4worki: 4, _Z5riskyiRi: 80 } }),
  ...program('clone.c'),
  ...program('clone3.c'),
  ...program('spawns.c', { calls: { prepare: 1, by_vfork: 1, by_spawn: 1, by_system: 1 } }),
  ...program('popen.c'),
  ...program('daemon.c', { calls: { after: 1 } }),
  ...program('exec.c', {
    calls: { before: 1, replace: 1 },
    ends: { before: 'return', replace: 'cut', main: 'cut' },
  }),
  ...program('exec-thread.c', { threads: 2, calls: { before: 1 }, ends: { replace: 'cut', main: 'cut' } }),
  ...program('exec-self.c', {
    tree: 'none',
    calls: { main: 4, work: 4, again: 3 },
    ends: { main: 'return' },
  }),
  ...program('set-user-id.c', {
    calls: { work: 0, as_nobody: 1 },
    notes: [/rights of its file/],
    build: { after: ['cp set-user-id set-user-id.owned', 'chmod 4755 set-user-id.owned'] },
  }),
]
