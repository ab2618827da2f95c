import { closeSync, readSync } from 'node:fs'
import { asTid, type Pid, type RuntimeAddress, type Tid } from '../base/units.ts'
import { BpfAttributes, bpf } from '../sys/bpf.ts'
import { attachType } from './program.ts'

/** A return address that the kernel has on its books as replaced. It may be over: see `slot`. */
export interface ListedReturn {
  readonly thread: Tid
  /** Where it is on the stack: replaced now only if the trampoline's address stands there. */
  readonly slot: RuntimeAddress
  readonly returnAddress: RuntimeAddress
}

const listedReturnBytes = 24

/** Lists the hooked returns of all threads of a process. @param programFd of the program `list_returns` */
export function listReturns(programFd: number, pid: Pid): ListedReturn[] {
  // union bpf_iter_link_info, task: u32 tid, u32 pid, u32 pid_fd
  const info = Buffer.alloc(16)
  info.writeUInt32LE(pid, 4)
  const linkAttributes = new BpfAttributes()
    .u32(0, programFd)
    .u32(8, attachType.iterator)
    .pointer(16, info)
    .u32(24, info.length)
  const link = bpf('linkCreate', linkAttributes)
  try {
    const iterator = bpf('iteratorCreate', new BpfAttributes().u32(0, link))
    try {
      return parse(readAll(iterator))
    } finally {
      closeSync(iterator)
    }
  } finally {
    closeSync(link)
  }
}

function readAll(fd: number): Buffer {
  const chunks: Buffer[] = []
  for (;;) {
    const chunk = Buffer.alloc(1 << 16)
    const length = readSync(fd, chunk)
    if (length === 0) return Buffer.concat(chunks)
    chunks.push(chunk.subarray(0, length))
  }
}

function parse(bytes: Buffer): ListedReturn[] {
  const listed: ListedReturn[] = []
  for (let at = 0; at + listedReturnBytes <= bytes.length; at += listedReturnBytes) {
    const word = (index: number) => Number(bytes.readBigUInt64LE(at + index * 8))
    listed.push({
      thread: asTid(word(0)),
      slot: word(1) as RuntimeAddress,
      returnAddress: word(2) as RuntimeAddress,
    })
  }
  return listed
}
