import { describe, it } from 'vitest'
import { groups } from './cases/index.ts'
import { checkCase } from './support/check-case.ts'

for (const [group, cases] of Object.entries(groups)) {
  describe(group, () => {
    it.concurrent.each(cases.map((test) => [test.name, test] as const))('%s', (_name, test) =>
      checkCase(test),
    )
  })
}
