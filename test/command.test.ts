import { beforeAll, describe, expect, it } from 'vitest'
import type { CommandCase } from './cases/command-case.ts'
import { messageCases } from './cases/messages.ts'
import { optionCases } from './cases/options.ts'
import { buildTarget, executableOf, targetsFolder } from './support/build.ts'
import { oddFile } from './support/odd-files.ts'
import { run } from './support/process.ts'
import { temporaryFile, utrace } from './support/utrace.ts'

const groups = { options: optionCases, messages: messageCases }

beforeAll(async () => {
  const builds = Object.values(groups).flatMap((cases) => cases.flatMap(({ build }) => build ?? []))
  await Promise.allSettled(builds.map(buildTarget))
}, 600_000)

async function check(test: CommandCase): Promise<void> {
  const built = test.build && (await buildTarget({ ...test.build }))
  const files = [temporaryFile()]
  const replacements: Record<string, string> = {
    OUT: files[0]!.path,
    TARGETS: targetsFolder,
    TARGET: built ? executableOf(built.plain, built.name) : '',
  }
  const replace = (word: string) =>
    word.replaceAll(/\{([A-Z0-9]+)\}/g, (_, name: string) => {
      const file = oddFile(name)
      if (file !== undefined) files.push({ ...file, read: () => '' })
      return file?.path ?? replacements[name] ?? name
    })
  try {
    const outcome = await run(utrace, test.words.map(replace), { env: { ...process.env, ...test.env } })
    expect(outcome.timedOut, `utrace hangs: ${outcome.stderr.slice(0, 500)}`).toBe(false)
    const stderr = Buffer.from(outcome.stderr, 'latin1').toString()
    expect(outcome.status, stderr).toBe(test.status ?? 0)
    if (typeof test.stdout === 'string') expect(outcome.stdout).toBe(test.stdout)
    if (test.stdout instanceof RegExp) expect(outcome.stdout).toMatch(test.stdout)
    if (test.oneLine) expect(stderr).toMatch(/^[^\n]+\n$/)
    for (const pattern of test.stderr ?? []) expect(stderr).toMatch(pattern)
    for (const pattern of test.notOnStderr ?? []) expect(stderr).not.toMatch(pattern)
    const trace = files[0]!.read()
    for (const pattern of test.trace ?? []) expect(trace).toMatch(pattern)
    for (const pattern of test.notInTrace ?? []) expect(trace).not.toMatch(pattern)
  } finally {
    for (const file of files) file.remove()
  }
}

for (const [group, cases] of Object.entries(groups)) {
  describe(group, () => {
    it.each(cases.map((test) => [test.name, test] as const))('%s', (_name, test) => check(test))
  })
}
