import type { Case } from './case.ts'
import { matrix } from './matrix.ts'

const both = ['gcc -O0', 'gcc -O2', 'clang -O2 -fcf-protection']
const optimized = ['gcc -O2']
const c = (name: string, rest: Partial<Case> = {}, variants = both) =>
  matrix({ name, build: { source: `${name}.c` }, ...rest }, variants)
const cpp = (name: string, rest: Partial<Case> = {}, variants = both) =>
  matrix({ name, build: { source: `${name}.cpp` }, ...rest }, variants)

/** Calls that do not come back the way they went in. */
export const controlFlowCases: readonly Case[] = [
  ...c('deep-recursion', { calls: { descend: 150, leaf: 3 } }),
  ...c('deep-recursion', {
    name: 'recursion beyond 64 levels',
    args: ['200'],
    calls: { descend: 600, leaf: 3 },
  }),
  ...c('signal-handler'),
  ...c('signal-stack', {}, optimized),
  ...c('setjmp', { unwinds: true, ends: { jump: 'unwound', nested: 'unwound', after: 'return' } }),
  ...c('longjmp-tail', { unwinds: true }, optimized),
  ...c('coroutines', {
    tree: 'none',
    unwinds: true,
    calls: { produce: 5, yield_value: 5, resume: 6, generator: 1 },
  }),
  ...c('hand-coroutines', {
    tree: 'none',
    unwinds: true,
    calls: { nested: 6, resume: 6, body: 1, square: 6, yield: 6 },
  }),
  ...c(
    'hand-coroutines',
    {
      name: 'coroutines, where return probes are asked for',
      options: ['--exit-probe', 'return'],
      tree: 'none',
      unwinds: true,
      calls: { body: 1, square: 6, yield: 6 },
    },
    optimized,
  ),
  ...c('backtrace'),
  ...c('thread-exit', { unwinds: true, threads: 3 }, ['gcc -O0', 'gcc -O2']),
  ...cpp('exceptions', { unwinds: true, ends: { _Z5riskyi: 'unwound' } }),
  ...cpp('exceptions-deep', { unwinds: true, threads: 4, calls: { _Z7descendi: 15 * 61 } }),
  ...cpp('throws-in-child', { unwinds: true }),
  ...cpp('throws-in-child', {
    name: 'exceptions in a child that is not followed',
    unwinds: true,
    options: ['--no-follow-fork'],
  }),
  ...cpp('terminates', { unwinds: true }, optimized),
  ...c('exit-deep', { ends: { main: 'cut', level: 'cut', leave: 'cut', at_end: 'return' } }),
  ...c('exit-deep', {
    name: '_exit in the middle of calls',
    args: ['now'],
    ends: { main: 'cut', leave: 'cut' },
  }),
  ...c('odd-code', { tree: 'none', calls: { count_down: 3, many_rets: 3, no_size: 3, repeat: 3, main: 1 } }, [
    'gcc -O2',
  ]),
]
