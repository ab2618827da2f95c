import type { Case } from './case.ts'
import { program } from './matrix.ts'

/** What C and C++ can do. */
export const languageCases: readonly Case[] = [
  ...program('recursion.c', { calls: { fibonacci: 177, factorial: 12 }, threads: 1 }),
  ...program('mutual-recursion.c'),
  ...program('callbacks.c'),
  ...program('function-pointers.c'),
  ...program('static-functions.c'),
  ...program('inlining.c'),
  ...program('aliases.c'),
  ...program('ifunc.c', { calls: { compute_fast: 2 } }),
  ...program('tail-calls.c', { calls: { link_a0: 3, link_p0: 6, link_q0: 6 } }),
  ...program('tail-recursion.c'),
  ...program('variadic.c'),
  ...program('struct-return.c'),
  ...program('register-arguments.c'),
  ...program('alloca.c'),
  ...program('large-frames.c', { calls: { level: 12, leaf: 12, small: 3 } }),
  ...program('jump-tables.c', { calls: { by_switch: 12, by_goto: 4 } }),
  ...program('cold-parts.c'),
  ...program('constructors.c'),
  ...program('hostile-names.c'),
  ...program('long-names.cpp'),
  ...program('classes.cpp'),
  ...program('templates.cpp'),
  ...program('destructors.cpp'),
  ...program('lambdas.cpp'),
  ...program('std-library.cpp', { build: { flags: ['-std=c++17'] } }),
  ...program('thread-local.cpp', { threads: 5 }),
  ...program('anonymous-namespace.cpp', {
    names: [
      '(anonymous namespace)::hidden(int)',
      '(anonymous namespace)::local::method(int)',
      'named::v1::versioned(int)',
    ],
  }),
  ...program('operators.cpp', {
    names: [
      'number::operator bool() const',
      'number::operator char const*() const',
      'operator"" _twice(unsigned long long)',
      'operator/(number const&, number const&)',
      'operator<(number const&, number const&)',
    ],
  }),
  ...program('thunks.cpp'),
]
