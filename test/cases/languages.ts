import type { Case } from './case.ts'
import { matrix } from './matrix.ts'

const c = (name: string, rest: Partial<Case> = {}) =>
  matrix({ name, build: { source: `${name}.c` }, ...rest })
const cpp = (name: string, rest: Partial<Case> = {}) =>
  matrix({ name, build: { source: `${name}.cpp` }, ...rest })

/** What C and C++ can do, by both compilers, at both ends of optimization. */
export const languageCases: readonly Case[] = [
  ...c('recursion', { calls: { fibonacci: 177, factorial: 12 }, threads: 1 }),
  ...c('mutual-recursion'),
  ...c('callbacks'),
  ...c('function-pointers'),
  ...c('static-functions'),
  ...c('inlining'),
  ...c('aliases'),
  ...c('ifunc', { calls: { compute_fast: 2 } }),
  ...c('tail-calls', { calls: { link_a0: 3, link_p0: 6, link_q0: 6 } }),
  ...c('tail-recursion'),
  ...c('variadic'),
  ...c('struct-return'),
  ...c('register-arguments'),
  ...c('constructors'),
  ...c('hostile-names'),
  ...cpp('long-names'),
  ...cpp('classes'),
  ...cpp('templates'),
  ...cpp('destructors'),
  ...cpp('lambdas'),
  ...cpp('anonymous-namespace', {
    names: [
      '(anonymous namespace)::hidden(int)',
      '(anonymous namespace)::local::method(int)',
      'named::v1::versioned(int)',
    ],
  }),
  ...cpp('operators', {
    names: [
      'number::operator bool() const',
      'number::operator char const*() const',
      'operator"" _twice(unsigned long long)',
      'operator/(number const&, number const&)',
      'operator<(number const&, number const&)',
    ],
  }),
  ...cpp('thunks'),
]
