import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { run } from './support/process.ts'
import { utrace } from './support/utrace.ts'
import { waitUntil } from './support/wait.ts'

let cache: string
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'utrace-test-'))
})
afterEach(() => {
  rmSync(cache, { recursive: true, force: true })
})

const trace = () =>
  run(utrace, ['-o', '/dev/null', '-c', 'true'], { env: { ...process.env, XDG_CACHE_HOME: cache } })
const keptCode = () => join(cache, 'utrace/compiled-trace.bin')

describe('what is kept from one run to the next', () => {
  it('is compiled code, kernel types and entries of library functions, once', async () => {
    const first = await trace()
    const names = readdirSync(join(cache, 'utrace')).sort()
    expect(names.map((name) => name.replace(/^code-[0-9a-f]+/, 'code-ID'))).toEqual([
      'code-ID.json',
      'compiled-trace.bin',
      'kernel-types.json',
    ])
    const { ino } = statSync(keptCode())
    const second = await trace()
    expect(second.status).toBe(0)
    expect(second.stderr).toBe(first.stderr)
    expect(statSync(keptCode()).ino).toBe(ino)
  })

  it.each([
    ['damaged', (code: Buffer) => code.fill(0xee, code.length >> 1)],
    ['cut off', (code: Buffer) => code.subarray(0, code.length >> 1)],
    [
      'of another build',
      (code: Buffer) =>
        Buffer.from(code.toString('latin1').replace(/[0-9a-f]{64}/, 'f'.repeat(64)), 'latin1'),
    ],
  ])('is made anew if it is %s', async (_, change) => {
    const first = await trace()
    const whole = readFileSync(keptCode())
    writeFileSync(keptCode(), change(Buffer.from(whole)))
    const second = await trace()
    expect([second.status, second.stderr]).toEqual([0, first.stderr])
    expect(readFileSync(keptCode()).length).toBeGreaterThan(whole.length * 0.9)
    const { ino } = statSync(keptCode())
    await trace()
    expect(statSync(keptCode()).ino).toBe(ino)
  })
})

describe('what remains of a run', () => {
  it('is nothing, soon: the guard ends once the kernel has let the probes go', async () => {
    let pid = 0
    const { status } = await run(utrace, ['-o', '/dev/null', '-c', 'true'], {
      whileRunning: (child) => {
        pid = child.pid!
      },
    })
    expect(status).toBe(0)
    await waitUntil(() => guardsOf(pid).length === 0)
  })
})

/** Guards tell by their one argument whom they guard. */
function guardsOf(pid: number): string[] {
  return readdirSync('/proc').filter((entry) => {
    try {
      const words = readFileSync(`/proc/${entry}/cmdline`, 'latin1').split('\0')
      return words.some((word) => word.endsWith('/guard/main.cjs')) && words.includes(String(pid))
    } catch {
      return false
    }
  })
}
