import { createHash } from 'node:crypto'
import type { Build } from '../support/build.ts'
import type { Case } from './case.ts'

interface Variant {
  readonly name: string
  /** Index in `levels`. */
  readonly level: number
  readonly build: Pick<Build, 'compiler' | 'flags'>
}

const compilers = ['gcc', 'clang'] as const
/** Distributions build with `endbr64` in front of functions, and at -O2. */
const levels = [['-O0'], ['-O1'], ['-O2'], ['-O3'], ['-O2', '-fcf-protection=full']] as const

/** Both compilers at every level of optimization. */
const variants: readonly Variant[] = compilers.flatMap((compiler) =>
  levels.map((flags, level) => ({
    name: `${compiler} ${flags.join(' ')}`,
    level,
    build: { compiler, flags },
  })),
)

/** `npm run test:matrix` (UTRACE_MATRIX=full): every variant of every program, half an hour on two cores. */
const all = process.env.UTRACE_MATRIX === 'full'

/**
 * What CI has time for: each program at every level, and with both compilers in turn. Which of them begins is by its name,
 * so that half of the programs have the one at a level, and half the other.
 */
function isUsual({ build, level }: Variant, programName: string): boolean {
  const first = createHash('sha256').update(programName).digest()[0]! % compilers.length
  return build.compiler === compilers[(first + level) % compilers.length]
}

/** A case for each of the variants whose names match (default all). */
function matrix(plain: Case, names = /./): Case[] {
  const matching = variants.filter(({ name }) => names.test(name))
  const chosen = all ? matching : matching.filter((variant) => isUsual(variant, plain.name))
  return (chosen.length > 0 ? chosen : matching).map(({ name, build: { compiler, flags = [] } }) => ({
    ...plain,
    name: `${plain.name}, ${name}`,
    build: {
      ...plain.build,
      ...(compiler && { compiler }),
      flags: [...flags, ...(plain.build.flags ?? [])],
    },
  }))
}

/** What is said of a program besides its source: all of a case but its name, which is the source's unless it is given. */
type About = Partial<Omit<Case, 'build'>> & { readonly build?: Partial<Build> }

/** A source of test/targets in every variant, or in those whose names match. */
export function program(source: string, { build, ...about }: About = {}, names?: RegExp): Case[] {
  return matrix({ name: source.replace(/\.\w+$/, ''), ...about, build: { source, ...build } }, names)
}
