import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { UserError } from '../base/errors.ts'
import { resolveCommand } from './command.ts'

let root: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'utrace-command-'))
  for (const folder of ['first', 'second', 'second/tool-folder', 'first/program'])
    mkdirSync(join(root, folder))
  for (const file of ['first/data', 'second/data', 'second/program', 'second/only']) {
    writeFileSync(join(root, file), '#!/bin/sh\n', { mode: file.startsWith('first') ? 0o644 : 0o755 })
  }
  writeFileSync(join(root, 'first/locked'), '', { mode: 0o644 })
  symlinkSync('nowhere', join(root, 'first/dangling'))
})
afterAll(() => rmSync(root, { recursive: true }))

const path = () => `${root}/first:${root}/second`

function refusal(word: string, searchPath = path()): [string, number] {
  try {
    return [`found ${resolveCommand(word, searchPath)}`, 0]
  } catch (error) {
    expect(error).toBeInstanceOf(UserError)
    const { message, exitStatus } = error as UserError
    return [message.replaceAll(root, ''), exitStatus]
  }
}

describe('resolveCommand', () => {
  test('takes the first executable file of the search path', () => {
    expect(resolveCommand('only', path())).toBe(`${root}/second/only`)
    expect(resolveCommand('data', path())).toBe(`${root}/second/data`)
    expect(resolveCommand('program', path())).toBe(`${root}/second/program`)
  })

  test('takes a word with a slash as it is', () => {
    expect(resolveCommand(`${root}/second/only`, '')).toBe(`${root}/second/only`)
  })

  test('an empty part of the search path is the current folder, as for a shell', () => {
    const before = process.cwd()
    try {
      process.chdir(join(root, 'second'))
      expect(resolveCommand('only', '/nowhere:')).toBe('only')
      expect(resolveCommand('./only', undefined)).toBe('./only')
    } finally {
      process.chdir(before)
    }
  })

  test('without a search path looks where a shell does', () => {
    expect(resolveCommand('sh', undefined)).toMatch(/^(\/usr)?\/bin\/sh$/)
  })

  test('refuses in a shell’s words, with its status', () => {
    expect(refusal('no-such-command')).toEqual(['no-such-command: command not found', 127])
    expect(refusal('')).toEqual([': command not found', 127])
    expect(refusal('tool-folder')).toEqual(['tool-folder: command not found', 127])
    expect(refusal('dangling')).toEqual(['dangling: command not found', 127])
    expect(refusal('locked')).toEqual(['/first/locked: Permission denied: is it executable (chmod +x)?', 126])
    expect(refusal(`${root}/first/none`)).toEqual(['/first/none: No such file or directory', 127])
    expect(refusal(`${root}/first/data/none`)).toEqual(['/first/data/none: No such file or directory', 127])
    expect(refusal(`${root}/second`)).toEqual(['/second: Is a directory', 126])
    chmodSync(join(root, 'second/only'), 0o600)
    expect(refusal('only')[1]).toBe(126)
    chmodSync(join(root, 'second/only'), 0o755)
  })
})
