import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { UserError } from '../base/errors.ts'
import { ClosedPipeError, fileOutput, isOwnFile, wantsColor } from './output.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'utrace-output-'))
  chmodSync(folder, 0o755)
})
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => vi.unstubAllEnvs())

const at = (name: string) => join(folder, name)
const bytes = (text: string) => Buffer.from(text)

function write(path: string, text: string): void {
  const output = fileOutput(path)
  output.write(bytes(text))
  output.close()
}

function refusal(path: string): string | undefined {
  try {
    fileOutput(path).close()
    return undefined
  } catch (error) {
    expect(error).toBeInstanceOf(UserError)
    return (error as UserError).message.replaceAll(folder, '')
  }
}

describe('fileOutput', () => {
  test('makes a file, and writes over one of the user’s own from its start', () => {
    write(at('new'), 'a long first text')
    write(at('new'), 'short')
    expect(readFileSync(at('new'), 'utf8')).toBe('short')
  })

  test('never follows a symbolic link, wherever it leads', () => {
    writeFileSync(at('victim'), 'precious')
    symlinkSync(at('victim'), at('link'))
    symlinkSync(at('not-yet'), at('dangling'))
    const message = 'it is a symbolic link, which utrace does not follow: give the file itself'
    expect(refusal(at('link'))).toBe(`cannot write to /link: ${message}`)
    expect(refusal(at('dangling'))).toBe(`cannot write to /dangling: ${message}`)
    expect(readFileSync(at('victim'), 'utf8')).toBe('precious')
    expect(existsSync(at('not-yet'))).toBe(false)
  })

  test('follows none in /dev/shm either, where everybody may make them, nor on detours through /dev', () => {
    const link = `/dev/shm/utrace-output-${process.pid}`
    symlinkSync(at('victim'), link)
    try {
      expect(refusal(link)).toContain('it is a symbolic link')
      symlinkSync(at('victim'), at('detour'))
      expect(refusal(`/dev/..${at('detour')}`)).toContain('it is a symbolic link')
      expect(readFileSync(at('victim'), 'utf8')).toBe('precious')
    } finally {
      rmSync(link)
    }
  })

  test('leaves files of other users alone', () => {
    writeFileSync(at('theirs'), 'theirs')
    chownSync(at('theirs'), 65_534, 65_534)
    expect(refusal(at('theirs'))).toBe(
      'cannot write to /theirs: it belongs to another user: give another file',
    )
    expect(readFileSync(at('theirs'), 'utf8')).toBe('theirs')
  })

  test('under sudo, files are those of the user who called it', () => {
    vi.stubEnv('SUDO_UID', '65534')
    vi.stubEnv('SUDO_GID', '65533')
    write(at('under-sudo'), 'x')
    expect(statSync(at('under-sudo'))).toMatchObject({ uid: 65_534, gid: 65_533 })
    write(at('under-sudo'), 'again')
    expect(readFileSync(at('under-sudo'), 'utf8')).toBe('again')
    expect(isOwnFile({ uid: 65_534 })).toBe(true)
    expect(isOwnFile({ uid: 0 })).toBe(true)
    expect(isOwnFile({ uid: 1000 })).toBe(false)
  })

  test('says why a file cannot be written', () => {
    mkdirSync(at('folder'))
    expect(refusal(at('none/file'))).toBe('cannot write to /none/file: its folder does not exist')
    expect(refusal(at('new/file'))).toBe('cannot write to /new/file: its folder is not a folder')
    expect(refusal(at('folder'))).toBe('cannot write to /folder: it is a folder')
    writeFileSync(at('locked'), '')
    chmodSync(at('locked'), 0o400)
    process.seteuid!(65_534)
    try {
      expect(refusal(at('locked'))).toBe('cannot write to /locked: not permitted')
    } finally {
      process.seteuid!(0)
    }
  })

  test('a full device', () => {
    const output = fileOutput('/dev/full')
    expect(() => output.write(bytes('x'))).toThrow('cannot write to /dev/full: no space left on the device')
    output.close()
  })

  test('/dev/stdout and descriptors are what they lead to', () => {
    const fd = openSync(at('by-number'), 'w')
    write(`/dev/fd/${fd}`, 'through a descriptor')
    closeSync(fd)
    expect(readFileSync(at('by-number'), 'utf8')).toBe('through a descriptor')
  })
})

describe('pipes', () => {
  function fifo(name: string): string {
    expect(spawnSync('mkfifo', [at(name)]).status).toBe(0)
    return at(name)
  }

  test('a reader that has gone is an error of its own', () => {
    const path = fifo('closed')
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const output = fileOutput(path)
    output.write(bytes('read me'))
    closeSync(reader)
    expect(() => output.write(bytes('too late'))).toThrow(ClosedPipeError)
    output.close()
  })
})

describe('wantsColor', () => {
  const nowhere = openSync('/dev/null', 'r')
  afterAll(() => closeSync(nowhere))

  test('as it is told, whatever the output', () => {
    expect(wantsColor('always', nowhere)).toBe(true)
    expect(wantsColor('never', nowhere)).toBe(false)
    expect(wantsColor('auto', nowhere)).toBe(false)
  })
})
