import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import type { Pid } from '../base/units.ts'
import type { ProbeSite } from '../probe/plan.ts'
import type { Module } from './modules.ts'

const breakpoint = 0xcc

/**
 * Takes the breakpoints of single probes out of a running process, so that they cost nothing any more: a link can only
 * be closed as a whole, and takes what it waits for with it. The byte that the kernel has replaced is written back; a
 * thread that has just run into the breakpoint is still served, since the kernel knows of it until the link is closed.
 * Closing it finds that there is nothing to remove (verify_opcode, kernel/events/uprobes.c). A byte changes at once for
 * all CPUs, so that nobody has to be stopped.
 * @returns whether all are out: a probe that the kernel has turned into a call stays
 */
export function takeProbesOut(pid: Pid, module: Module, sites: readonly ProbeSite[]): boolean {
  const memory = openSync(`/proc/${pid}/mem`, 'r+')
  let areOut = true
  try {
    for (const { address } of sites) {
      const [original] = module.image.bytesAt(address, 1)
      const byte = Buffer.alloc(1)
      const at = address + module.loadBias
      if (original === undefined || readSync(memory, byte, 0, 1, at) !== 1) areOut = false
      else if (byte[0] === breakpoint) writeSync(memory, Uint8Array.of(original), 0, 1, at)
      else if (byte[0] !== original) areOut = false
    }
  } finally {
    closeSync(memory)
  }
  return areOut
}
