import { expect, it } from 'vitest'
import { withCommandInFront } from './later-options.ts'

it.each([
  ['--report', 'report'],
  ['--report --format summary --percent-self', 'report --percent-self'],
  ['--format=call-graph --report --max-depth 3', 'graph --max-depth 3'],
  ['--report --format=chrome -o out.json', 'export --to chrome -o out.json'],
  ['--report --format flame-graph --sample-time 1us', 'export --to flame-graph --sample-time 1us'],
  ['--report --format csv', 'report --format csv'],
  ['--record -c ls', 'record -c ls'],
  ['-c ls --record', 'record -c ls'],
  ['--tid -f --report --record prog', 'record --tid -f --report prog'],
  // The traced program's own words.
  ['prog --report', 'prog --report'],
  ['-l x prog --report --format summary', '-l x prog --report --format summary'],
  ['-- --record', '-- --record'],
  ['--record prog --report --format summary', 'record prog --report --format summary'],
  ['-c ls', '-c ls'],
  ['', ''],
])('%s → %s', (words, expected) => {
  expect(withCommandInFront(words.split(' ').filter(Boolean)).join(' ')).toBe(expected)
})
