import type { Build } from './build.ts'

/**
 * What filters in the kernel must get right: each ends calls in ways of its own, by jumps, exceptions, signals, on other
 * stacks, many levels deep.
 */
export const filterPrograms: readonly Build[] = [
  { source: 'nested-calls.c', flags: ['-O1'] },
  { source: 'mutual-recursion.c', flags: ['-O2'] },
  { source: 'tail-calls.c', flags: ['-O2'] },
  { source: 'setjmp.c', flags: ['-O0'] },
  { source: 'signal-handler.c', flags: ['-O0'] },
  { source: 'signal-stack.c', flags: ['-O2'] },
  { source: 'exceptions-deep.cpp', flags: ['-O1'] },
  { source: 'unwinding-destructors.cpp', flags: ['-O0'] },
  { source: 'passing-exceptions.cpp', flags: ['-O2', '-fno-optimize-sibling-calls'] },
  { source: 'coroutines.c', flags: ['-O1'] },
  { source: 'hand-coroutines.c', flags: ['-O2'] },
  { source: 'large-frames.c', flags: ['-O0'] },
  { source: 'callbacks.c', flags: ['-O1'] },
]
