import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { waitUntil } from '../../test/support/wait.ts'
import { UserError } from '../base/errors.ts'
import { asPid } from '../base/units.ts'
import { checkPidNamespace, checkProcess } from './attach.ts'
import { processState } from './process.ts'

function problemOf(pid: number): string | undefined {
  try {
    checkProcess(asPid(pid))
    return undefined
  } catch (error) {
    expect(error).toBeInstanceOf(UserError)
    return (error as UserError).message
  }
}

describe('checkProcess', () => {
  test('a process that runs a program is fine', () => {
    expect(problemOf(process.pid)).toBeUndefined()
  })

  test('a pid that nobody has', () => {
    expect(problemOf(2 ** 22 + 1)).toBe('no process 4194305: it has ended or never was (see ps -e)')
  })

  test('a thread: names its process, and the options for it', () => {
    const tid = Number(readdirSync('/proc/self/task').find((each) => Number(each) !== process.pid))
    expect(problemOf(tid)).toBe(
      `${tid} is a thread of process ${process.pid}: trace it with -p ${process.pid} --tid-filter ${tid}`,
    )
  })

  test('a zombie', async () => {
    // The shell never waits for its child: exec has made it a sleep.
    const parent = spawn('sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = (await once(parent.stdout!, 'data')) as [Buffer]
    const pid = Number(line.toString())
    await waitUntil(() => processState(asPid(pid)) === 'Z')
    expect(problemOf(pid)).toBe(`process ${pid} has ended: it only waits for its parent to notice`)
    parent.kill()
    await once(parent, 'exit')
  })

  test('a kernel thread', () => {
    expect(problemOf(2)).toBe('process 2 (kthreadd) is a kernel thread: it runs no program')
  })

  test('somebody else’s process', () => {
    process.seteuid!(65_534)
    try {
      expect(problemOf(1)).toBe('cannot trace process 1: not permitted: run with sudo')
    } finally {
      process.seteuid!(0)
    }
  })
})

test('checkPidNamespace has nothing against this process', () => {
  expect(() => checkPidNamespace()).not.toThrow()
})
