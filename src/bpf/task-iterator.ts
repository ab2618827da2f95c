import { closeSync, readSync } from 'node:fs'
import type { Pid } from '../base/units.ts'
import { BpfAttributes, bpf } from '../sys/bpf.ts'
import { attachType } from './program.ts'

/** Runs a program of the section `iter/task` for every thread of a process. @returns what it has written */
export function iterateThreads(programFd: number, pid: Pid): Buffer {
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
      return readAll(iterator)
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
