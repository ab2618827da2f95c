import { writeSync } from 'node:fs'
import { checked, declare } from './libc.ts'

const memfdCreate = declare('int memfd_create(const char *name, uint flags)')

const closeOnExec = 1

/** A file that exists in memory only, with these bytes: its descriptor. @throws SystemCallError */
export function memoryFile(name: string, bytes: Uint8Array): number {
  const fd = checked('memfd_create', memfdCreate(name, closeOnExec))
  for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written)
  return fd
}
