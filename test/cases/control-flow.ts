import type { Case } from './case.ts'
import { program } from './matrix.ts'

const optimized = /-O[123]/
/** glibc then checks that `longjmp` goes up the stack; it takes a compiler that optimizes. */
const fortified = { flags: ['-D_FORTIFY_SOURCE=2'] }

/** Calls that do not come back the way they went in. */
export const controlFlowCases: readonly Case[] = [
  ...program('deep-recursion.c', { calls: { descend: 150, leaf: 3 } }),
  ...program('deep-recursion.c', {
    name: 'recursion beyond 64 levels',
    args: ['200'],
    calls: { descend: 600, leaf: 3 },
  }),
  ...program('stack-overflow.c', {
    tree: 'none',
    unwinds: true,
    calls: { survives: 2, on_overflow: 2 },
    ends: { survives: 'return' },
  }),

  ...program('signal-handler.c'),
  ...program('signal-stack.c'),
  ...program('signal-async.c', {
    tree: 'none',
    calls: { bump: 50, on_signal: 50 },
    ends: { middle: 'return' },
  }),
  ...program(
    'faults.c',
    {
      tree: 'none',
      unwinds: true,
      calls: { reads: 4, asks: 4, on_fault: 3, main: 1 },
      ends: { reads: 'cut', asks: 'cut', on_fault: 'return', main: 'cut' },
    },
    // clang leaves the calls out whose results nobody wants.
    /^gcc -O[123]/,
  ),
  ...program('setjmp.c', { unwinds: true, ends: { jump: 'unwound', nested: 'unwound', after: 'return' } }),
  ...program('setjmp.c', { name: 'setjmp, fortified', unwinds: true, build: fortified }, optimized),
  ...program('siglongjmp.c', {
    unwinds: true,
    ends: { leave: 'unwound', provoke: 'unwound', after: 'return' },
  }),
  ...program('siglongjmp.c', { name: 'siglongjmp, fortified', unwinds: true, build: fortified }, optimized),
  ...program('longjmp-tail.c', { unwinds: true }, optimized),

  ...program('coroutines.c', {
    tree: 'none',
    unwinds: true,
    calls: { produce: 5, yield_value: 5, resume: 6, generator: 1 },
  }),
  ...program('coroutine-threads.c', {
    tree: 'none',
    unwinds: true,
    calls: { work: 24, resume: 25, body: 6 },
  }),
  ...program('hand-coroutines.c', {
    tree: 'none',
    unwinds: true,
    calls: { nested: 6, resume: 6, body: 1, square: 6, yield: 6 },
  }),
  ...program(
    'hand-coroutines.c',
    {
      name: 'coroutines, where return probes are asked for',
      options: ['--exit-probe', 'return'],
      tree: 'none',
      unwinds: true,
      calls: { body: 1, square: 6, yield: 6 },
    },
    optimized,
  ),
  ...program(
    'coroutines20.cpp',
    { unwinds: true, tree: 'none', calls: { _Z7producei: 9 }, build: { flags: ['-std=c++20'] } },
    // Clang 14 does not take the coroutines of GCC's library.
    /gcc/,
  ),
  ...program('backtrace.c'),

  ...program('exceptions.cpp', { unwinds: true, ends: { _Z5riskyi: 'unwound' } }),
  ...program('exceptions-deep.cpp', { unwinds: true, threads: 4, calls: { _Z7descendi: 15 * 61 } }),
  ...program('exceptions-libraries.cpp', {
    unwinds: true,
    build: { libraries: ['lib-throws.cpp'] },
    calls: { _Z7t_throwi: 4, _Z8callbacki: 8 },
  }),
  ...program('exceptions-libraries.cpp', {
    name: 'exceptions-libraries, nested',
    options: ['--nest-lib', 'lib-throws*'],
    unwinds: true,
    build: { libraries: ['lib-throws.cpp'] },
    calls: { _Z7t_throwi: 4 },
    names: ['lib_guard::~lib_guard()'],
  }),
  ...program('rethrow.cpp', { unwinds: true, threads: 4, ends: { _Z6origini: 'unwound' } }),
  ...program('passing-exceptions.cpp', { unwinds: true, threads: 2 }),
  ...program('unwinding-destructors.cpp', {
    unwinds: true,
    build: { flags: ['-std=c++17'] },
    ends: { _Z7descendILi3EEvv: 'unwound', _Z6helperi: 'return' },
  }),
  ...program('throws-in-child.cpp', { unwinds: true }),
  ...program('throws-in-child.cpp', {
    name: 'exceptions in a child that is not followed',
    unwinds: true,
    options: ['--no-follow-fork'],
  }),
  ...program('terminates.cpp', { unwinds: true }),
  // Clang unwinds up to the function that may not throw, GCC does not, and neither tells its hooks.
  ...program('noexcept.cpp', {
    unwinds: true,
    tree: 'none',
    calls: { _Z6throwsi: 3, _Z12at_terminatev: 1 },
    ends: { _Z12at_terminatev: 'cut', _Z8promisesv: 'cut', main: 'cut' },
  }),

  ...program('exit-deep.c', { ends: { main: 'cut', level: 'cut', leave: 'cut', at_end: 'return' } }),
  ...program('exit-deep.c', {
    name: '_exit in the middle of calls',
    args: ['now'],
    ends: { main: 'cut', leave: 'cut' },
  }),
  ...program('quick-exit.c', { ends: { main: 'cut', level: 'cut', first: 'return' } }),
  ...program('thread-exit.c', { unwinds: true, threads: 3 }),

  ...program('odd-code.c', {
    tree: 'none',
    calls: { count_down: 3, many_rets: 3, no_size: 3, repeat: 3, main: 1 },
  }),
  ...program('overlapping.c', { tree: 'none', calls: { around: 3, add_two: 3, negated: 3, doubled: 3 } }),
  ...['auto', 'ret'].flatMap((exit) =>
    program('ret-forms.c', {
      name: `ret-forms, --exit-probe ${exit}`,
      options: ['--exit-probe', exit],
      tree: 'none',
      calls: {
        plain: 3,
        popping: 3,
        pops: 3,
        popping_many: 3,
        pops_many: 3,
        repeated: 3,
        bound: 3,
        either: 3,
      },
      ends: { plain: 'return', popping: 'return', popping_many: 'return', bound: 'return', either: 'return' },
    }),
  ),
]
