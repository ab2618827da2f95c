import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import type { Pid, RuntimeAddress, Tid } from '../base/units.ts'
import { whileStopped } from '../sys/ptrace.ts'
import { trampolineOf } from './process.ts'

/** A return address on a thread's stack that may have been replaced by that of the kernel's trampoline. */
export interface ReplacedReturn {
  readonly thread: Tid
  readonly slot: RuntimeAddress
  readonly returnAddress: RuntimeAddress
}

/**
 * Writes true return addresses back wherever the trampoline's still stands, so that the process is as it was before it
 * was traced. Each thread is stopped while its stack is changed.
 * @param list what to restore: asked again for each thread once that is stopped
 */
export function restoreReturns(pid: Pid, list: () => readonly ReplacedReturn[]): void {
  const trampoline = trampolineOf(pid)
  if (trampoline === undefined) return
  const memory = openSync(`/proc/${pid}/mem`, 'r+')
  const bytes = Buffer.alloc(8)
  const isReplaced = ({ slot }: ReplacedReturn) =>
    readSync(memory, bytes, 0, 8, slot) === 8 && Number(bytes.readBigUInt64LE()) === trampoline
  try {
    for (const thread of new Set(
      list()
        .filter(isReplaced)
        .map((replaced) => replaced.thread),
    )) {
      whileStopped(thread, () => {
        for (const replaced of list()) {
          if (replaced.thread !== thread || !isReplaced(replaced)) continue
          bytes.writeBigUInt64LE(BigInt(replaced.returnAddress))
          writeSync(memory, bytes, 0, 8, replaced.slot)
        }
      })
    }
  } finally {
    closeSync(memory)
  }
}
