import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import type { Pid, VirtualAddress } from '../base/units.ts'

/** `int3`, which the kernel puts in the place of a probed instruction's first byte. */
const breakpoint = 0xcc
/** `call rel32`, by which it replaces a probed nop of five bytes (arch/x86/kernel/uprobes.c, since Linux 6.18). */
const call = 0xe8
const nopBytes = 5

/**
 * Writes the instructions of a file back where a process has breakpoints in their place. It is stopped, and shares its
 * memory with no other process.
 * @param loadBias what the loader has added to the file's addresses
 * @param read the file's bytes at an address; undefined where it holds none
 */
export function removeBreakpoints(
  pid: Pid,
  loadBias: number,
  sites: readonly { readonly address: VirtualAddress }[],
  read: (address: VirtualAddress, size: number) => Uint8Array | undefined,
): void {
  const memory = openSync(`/proc/${pid}/mem`, 'r+')
  const now = Buffer.alloc(1)
  try {
    for (const { address } of sites) {
      const original = read(address, nopBytes)
      if (original === undefined || readSync(memory, now, 0, 1, address + loadBias) !== 1) continue
      const replaced = now[0] === original[0] ? 0 : now[0] === breakpoint ? 1 : now[0] === call ? nopBytes : 0
      if (replaced > 0) writeSync(memory, original, 0, replaced, address + loadBias)
    }
  } finally {
    closeSync(memory)
  }
}
