import { realpathSync } from 'node:fs'
import { expect, test } from 'vitest'
import { demangle } from '../elf/demangle.ts'
import { fileSource } from '../elf/file-source.ts'
import { readFunctions } from '../elf/functions.ts'
import { parseElf } from '../elf/image.ts'
import { mangledParts } from './mangled-parts.ts'

test.each([
  ['v8::internal::Heap::*', ['v8', 'internal', 'Heap']],
  ['*Hea?::fin*', ['Hea', 'fin']],
  ['f(unsigned long)', []],
  ['std::vector<int>::push_back', ['vector', 'push_back']],
  ['operator[]', []],
  ['f[xy]*', []],
  ['*', []],
])('of %s: %s', (pattern, parts) => {
  expect(mangledParts(pattern)).toEqual(parts)
})

test.each(['/lib/x86_64-linux-gnu/libstdc++.so.6', process.execPath])(
  'whatever stands in a demangled name of %s stands in the mangled one, unless it need not',
  (path) => {
    const file = realpathSync(path)
    const functions = readFunctions(parseElf(fileSource(file), file))
    const step = Math.ceil(functions.length / 20_000)
    let checked = 0
    for (let index = 0; index < functions.length; index += step) {
      const { symbol } = functions[index]!
      if (!symbol.startsWith('_Z')) continue
      for (const part of mangledParts(demangle(symbol))) {
        checked++
        if (!symbol.includes(part)) expect(symbol, demangle(symbol)).toContain(part)
      }
    }
    expect(checked).toBeGreaterThan(10_000)
  },
)
