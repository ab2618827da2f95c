import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { InheritedState } from './inherited.ts'
import { type ExitReport, type StartOptions, startCommand, wrappedCommand } from './start.ts'

const plain: InheritedState = {
  openFilesLimit: undefined,
  ignoredSignals: [],
  blockedSignals: [],
  descriptors: [],
  environment: undefined,
}
const nobody = { name: 'nobody', uid: 65_534, gid: 65_534, home: '/nonexistent' }

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'utrace-start-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Runs a shell script to its end; what it writes to the descriptor `$OUT` is its text. */
async function runScript(
  script: string,
  options: Partial<StartOptions> = {},
  inherited: Partial<InheritedState> = {},
): Promise<{ text: string; exit: ExitReport }> {
  const path = join(folder, 'output')
  const fd = openSync(path, 'w')
  try {
    const { ended } = await startCommand({
      file: '/bin/bash',
      words: ['bash', '-c', script],
      environment: { ...process.env, OUT: String(fd) },
      randomizeAddresses: true,
      ...options,
      inherited: { ...plain, ...inherited, descriptors: [fd, ...(inherited.descriptors ?? [])] },
    })
    return { exit: await ended, text: readFileSync(path, 'latin1') }
  } finally {
    closeSync(fd)
  }
}

describe('startCommand', () => {
  test.each([
    ['exit 3', { status: 3 }],
    ['true', { status: 0 }],
    ['kill -SEGV $$', { signal: 'SIGSEGV' }],
  ])('%s', async (script, exit) => {
    expect((await runScript(script)).exit).toEqual(exit)
  })

  test('runs the file under the name that was given', async () => {
    const script = 'tr "\\0" " " </proc/$$/cmdline >&$OUT; readlink /proc/$$/exe >&$OUT'
    const { text } = await runScript('', { words: ['my own name', '-c', script] })
    expect(text).toMatch(/^my own name -c .*\/bash\n$/s)
  })

  test('descriptors keep their numbers, and others stay closed', async () => {
    const extra = openSync('/dev/null', 'r')
    const closed = openSync('/dev/null', 'r')
    try {
      const script = 'for fd in /proc/$$/fd/*; do echo "$(basename $fd)=$(readlink $fd)"; done >&$OUT'
      const { text } = await runScript(script, {}, { descriptors: [extra] })
      expect(text.split('\n')).toContain(`${extra}=/dev/null`)
      expect(text).toContain(`=${folder}/output\n`)
      expect(text).not.toMatch(new RegExp(`^${closed}=`, 'm'))
    } finally {
      closeSync(extra)
      closeSync(closed)
    }
  })

  test('signals are ignored and blocked as they were for utrace', async () => {
    const { text } = await runScript(
      'cat /proc/$$/status >&$OUT',
      {},
      { ignoredSignals: ['HUP', 'USR2'], blockedSignals: ['USR1'] },
    )
    const maskOf = (name: string) => Number.parseInt(new RegExp(`${name}:\\s+(\\w+)`).exec(text)![1]!, 16)
    expect(maskOf('SigBlk') & 0x200).toBe(0x200)
    expect(maskOf('SigIgn') & 0x801).toBe(0x801)
  })

  test('the limit of open files is that of utrace', async () => {
    // Set right after the start: by the time it has slept it is in place.
    const { text } = await runScript('sleep 0.2; ulimit -S -n >&$OUT', {}, { openFilesLimit: 321 })
    expect(text).toBe('321\n')
  })

  test('the limit of open files is set before there is another user, whose limits others may not set', async () => {
    const { text } = await runScript('ulimit -S -n >&$OUT', { user: nobody }, { openFilesLimit: 321 })
    expect(text).toBe('321\n')
  })

  test('another user: ids, groups and environment are theirs', async () => {
    const script = '{ id -u; id -g; id -G; echo $HOME $USER $LOGNAME; } >&$OUT'
    const { text } = await runScript(script, { user: nobody })
    expect(text).toBe('65534\n65534\n65534\n/nonexistent nobody nobody\n')
  })

  test('without address randomization every run is alike', async () => {
    const script = 'grep -m1 stack /proc/self/maps >&$OUT'
    const first = await runScript(script, { randomizeAddresses: false })
    const second = await runScript(script, { randomizeAddresses: false })
    expect(first.text).toContain('stack')
    expect(second.text.split(' ')[0]).toBe(first.text.split(' ')[0])
    expect((await runScript(script)).text.split(' ')[0]).not.toBe(first.text.split(' ')[0])
  })

  test('what cannot be executed rejects', async () => {
    const start = startCommand({
      file: '/no/such/file',
      words: ['x'],
      environment: {},
      randomizeAddresses: true,
      inherited: plain,
    })
    await expect(start).rejects.toThrow('ENOENT')
  })
})

describe('wrappedCommand', () => {
  const command = { file: '/bin/true', words: ['true', '-x'], user: undefined, inherited: plain }

  test('is the command alone where nothing has to be prepared', () => {
    expect(wrappedCommand(command)).toEqual({ words: ['true', '-x'], wrappers: 0 })
  })

  test('a file that runs as another user has its limit set before', () => {
    const inherited = { ...plain, openFilesLimit: 99 }
    const { words, wrappers } = wrappedCommand({ file: '/bin/su', words: ['su'], inherited })
    expect([...words, wrappers]).toEqual(['prlimit', '--nofile=99:', 'su', 1])
    expect(wrappedCommand({ ...command, inherited }).wrappers).toBe(0)
  })

  test('counts the images before that of the command', () => {
    const inherited = { ...plain, openFilesLimit: 99, ignoredSignals: ['HUP', 'INT'] }
    expect(wrappedCommand({ ...command, inherited, user: nobody })).toEqual({
      words: [
        'prlimit',
        '--nofile=99:',
        'env',
        '--ignore-signal=HUP,INT',
        'setpriv',
        '--reuid=65534',
        '--regid=65534',
        '--init-groups',
        '--',
        'true',
        '-x',
      ],
      wrappers: 3,
    })
  })
})
