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
}
const nobody = { name: 'nobody', uid: 65_534, gid: 65_534, home: '/nonexistent' }

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'utrace-start-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Runs a shell script to its end; what it printed went to descriptor 9, a file. */
async function runScript(
  script: string,
  options: Partial<StartOptions> = {},
  inherited: Partial<InheritedState> = {},
): Promise<{ text: string; exit: ExitReport }> {
  const path = join(folder, 'output')
  const fd = openSync(path, 'w')
  try {
    const { ended } = await startCommand({
      file: '/bin/sh',
      words: ['sh', '-c', script],
      environment: { ...process.env, OUTPUT: `/proc/self/fd/${fd}` },
      randomizeAddresses: true,
      ...options,
      inherited: { ...plain, descriptors: [fd], ...inherited },
    })
    return { exit: await ended, text: readFileSync(path, 'latin1').replaceAll(String(fd), 'FD') }
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
    const { text } = await runScript('tr "\\0" " " </proc/$$/cmdline >$OUTPUT', {
      words: [
        'my own name',
        '-c',
        'tr "\\0" " " </proc/$$/cmdline >$OUTPUT; readlink /proc/$$/exe >>$OUTPUT',
      ],
    })
    expect(text).toMatch(/^my own name -c .*\/(da)?sh\n$/s)
  })

  test('descriptors keep their numbers, and others stay closed', async () => {
    const extra = openSync('/dev/null', 'r')
    const closed = openSync('/dev/null', 'r')
    try {
      // ls has the folder itself open as well, under the lowest free number.
      const script = `for fd in /proc/$$/fd/*; do echo "\${fd##*/}=$(readlink $fd)"; done >$OUTPUT`
      const path = join(folder, 'descriptors')
      const output = openSync(path, 'w')
      const { ended } = await startCommand({
        file: '/bin/bash',
        words: ['bash', '-c', script],
        environment: { ...process.env, OUTPUT: `/proc/self/fd/${output}` },
        randomizeAddresses: true,
        inherited: { ...plain, descriptors: [extra, output] },
      })
      await ended
      closeSync(output)
      const lines = readFileSync(path, 'latin1').split('\n')
      expect(lines).toContain(`${extra}=/dev/null`)
      expect(lines).toContain(`${output}=${path}`)
      expect(lines.some((line) => line.startsWith(`${closed}=`))).toBe(false)
    } finally {
      closeSync(extra)
      closeSync(closed)
    }
  })

  test('signals are ignored and blocked as they were for utrace', async () => {
    const { text } = await runScript(
      'grep -E "SigBlk|SigIgn" /proc/self/status >$OUTPUT',
      {},
      { ignoredSignals: ['HUP', 'USR2'], blockedSignals: ['USR1'] },
    )
    expect(text).toMatch(/SigBlk:\s+0*200\n/)
    expect(Number.parseInt(/SigIgn:\s+(\w+)/.exec(text)![1]!, 16) & 0x801).toBe(0x801)
  })

  test('the limit of open files is that of utrace', async () => {
    // Set right after the start: by the time it has slept it is in place.
    const { text } = await runScript('sleep 0.2; ulimit -S -n >$OUTPUT', {}, { openFilesLimit: 321 })
    expect(text).toBe('321\n')
  })

  test('another user: ids, groups and environment are theirs', async () => {
    const script = 'id -u >&9; id -g >&9; id -G >&9; echo $HOME $USER $LOGNAME >&9'
    const { text } = await runScript(`exec 9>>/proc/self/fd/1; ${script.replaceAll('>&9', '>>"$OUTPUT"')}`, {
      user: nobody,
    })
    // The file is root's: what could not be written has to be read elsewhere.
    expect(text === '' ? 'denied' : text).toMatch(
      /denied|^65534\n65534\n65534\n\/nonexistent nobody nobody\n$/,
    )
  })

  test('without address randomization every run is alike', async () => {
    const script = 'grep -m1 stack /proc/self/maps >$OUTPUT'
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

  test('counts the images before that of the command', () => {
    const inherited = { ...plain, ignoredSignals: ['HUP', 'INT'] }
    expect(wrappedCommand({ ...command, inherited, user: nobody })).toEqual({
      words: [
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
      wrappers: 2,
    })
  })
})
