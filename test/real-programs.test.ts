import { beforeAll, expect, it } from 'vitest'
import { realProgramCases } from './cases/real-programs.ts'
import { buildTarget } from './support/build.ts'
import { checkCase } from './support/check-case.ts'

// They take minutes to compile.
beforeAll(async () => {
  const builds = await Promise.allSettled(realProgramCases.map(({ build }) => buildTarget(build)))
  expect(builds.every(({ status }) => status === 'fulfilled')).toBe(true)
}, 900_000)

it.each(realProgramCases.map((test) => [test.name, test] as const))('%s', (_name, test) => checkCase(test))
