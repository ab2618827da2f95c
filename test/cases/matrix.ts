import type { Build } from '../support/build.ts'
import type { Case } from './case.ts'

type Variant = Pick<Build, 'compiler' | 'flags'>

/** How distributions build: with and without optimization, by both compilers, with and without `endbr64` in front. */
const variants: Readonly<Record<string, Variant>> = {
  'gcc -O0': { compiler: 'gcc', flags: ['-O0'] },
  'gcc -O2': { compiler: 'gcc', flags: ['-O2'] },
  'gcc -O2 -fcf-protection': { compiler: 'gcc', flags: ['-O2', '-fcf-protection=full'] },
  'clang -O0': { compiler: 'clang', flags: ['-O0'] },
  'clang -O2 -fcf-protection': { compiler: 'clang', flags: ['-O2', '-fcf-protection=full'] },
}

/** A case for each of the named variants (default all). */
export function matrix(plain: Case, names: readonly string[] = Object.keys(variants)): Case[] {
  return names.map((name) => {
    const { compiler, flags = [] } = variants[name]!
    const build = {
      ...plain.build,
      ...(compiler && { compiler }),
      flags: [...flags, ...(plain.build.flags ?? [])],
    }
    return { ...plain, name: `${plain.name}, ${name}`, build }
  })
}
