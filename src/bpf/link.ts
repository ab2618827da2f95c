import { close } from 'node:fs'
import { promisify } from 'node:util'
import type { FileOffset, Pid } from '../base/units.ts'
import { BpfAttributes, bpf, bpfAsync, cString } from '../sys/bpf.ts'
import { attachType } from './program.ts'

/** A program attached to something: it stays attached until `detach`. */
export interface BpfLink {
  /** The link lasts as long as any process has this descriptor open. */
  readonly fd: number
  /**
   * Done when the kernel has removed the probes. It waits for every CPU to have left them, tens of milliseconds per
   * link: several are detached at the same time.
   */
  detach(): Promise<void>
}

export interface UprobeSet {
  /** A path through which the kernel opens the file: `/proc/PID/root/…` or `/proc/PID/exe` serve other namespaces. */
  readonly path: string
  readonly offsets: readonly FileOffset[]
  /** A number per offset, given to the program at each hit. */
  readonly cookies: readonly number[]
  /** Probes fire in this process only. */
  readonly pid: Pid
  readonly kind: 'entry' | 'return' | 'session'
}

const flagReturn = 1
const closeFile = promisify(close)

/**
 * Attaches one program to many instructions of one file, in one process (BPF_LINK_CREATE with `uprobe_multi`).
 * All or nothing. @throws SystemCallError
 */
export function attachUprobes(programFd: number, set: UprobeSet): BpfLink {
  return linkOf(bpf('linkCreate', uprobeAttributes(programFd, set)))
}

/** The same on another thread. The kernel may wait for every CPU: that takes up to some ten milliseconds. */
export async function attachUprobesAsync(programFd: number, set: UprobeSet): Promise<BpfLink> {
  return linkOf(await bpfAsync('linkCreate', uprobeAttributes(programFd, set)))
}

function uprobeAttributes(programFd: number, set: UprobeSet): BpfAttributes {
  const offsets = BigUint64Array.from(set.offsets, BigInt)
  const cookies = BigUint64Array.from(set.cookies, BigInt)
  return new BpfAttributes()
    .u32(0, programFd)
    .u32(8, set.kind === 'session' ? attachType.uprobeSession : attachType.uprobeMulti)
    .pointer(16, cString(set.path))
    .pointer(24, new Uint8Array(offsets.buffer))
    .pointer(40, new Uint8Array(cookies.buffer))
    .u32(48, offsets.length)
    .u32(52, set.kind === 'return' ? flagReturn : 0)
    .u32(56, set.pid)
}

/**
 * Attaches a program to a raw tracepoint: by name, or without one if the program was loaded for a certain tracepoint.
 * @throws SystemCallError
 */
export function attachRawTracepoint(programFd: number, tracepoint?: string): BpfLink {
  const attributes = new BpfAttributes().u32(8, programFd)
  if (tracepoint !== undefined) attributes.pointer(0, cString(tracepoint))
  return linkOf(bpf('rawTracepointOpen', attributes))
}

function linkOf(fd: number): BpfLink {
  return { fd, detach: () => closeFile(fd) }
}

/** Detaches several links at the same time. */
export async function detachAll(links: readonly BpfLink[]): Promise<void> {
  await Promise.all(links.map((link) => link.detach()))
}
