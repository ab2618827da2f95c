import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { describeMachine } from './machine.ts'
import { repository } from './paths.ts'
import type { Suite } from './suite.ts'

/**
 * Replaces what the document shows of a suite, between its two marks. The text around them is written by hand.
 * @param command what reproduces it
 */
export function writeSection({ name, title, document }: Suite, body: string, command: string): void {
  const path = join(repository, document ?? 'docs/performance.md')
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '# Performance\n'
  const [begin, end] = [`<!-- bench ${name} -->`, `<!-- /bench ${name} -->`]
  const date = new Date().toISOString().slice(0, 10)
  const load = loadavg()[0]!.toFixed(1)
  const facts = [`\`${command}\`, ${date}, load average ${load}`, ...describeMachine()].join(' · ')
  const section = `${begin}\n### ${title}\n\n${body}\n\n<sub>${facts}</sub>\n${end}`
  const from = text.indexOf(begin)
  const to = text.indexOf(end)
  writeFileSync(
    path,
    from === -1 || to === -1
      ? `${text.trimEnd()}\n\n${section}\n`
      : text.slice(0, from) + section + text.slice(to + end.length),
  )
}
