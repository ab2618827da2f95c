import { readFileSync } from 'node:fs'
import type { Pid } from '../base/units.ts'

/** What the kernel told a new image: getauxval(3). */
export interface AuxiliaryVector {
  /** Where the dynamic linker was loaded; 0 in a static executable. */
  readonly interpreterBase: number
  /** Where the executable's first instruction is. */
  readonly entry: number
}

const typeBase = 7
const typeEntry = 9

/** @throws NodeJS.ErrnoException if the process is gone */
export function readAuxiliaryVector(pid: Pid): AuxiliaryVector {
  const bytes = readFileSync(`/proc/${pid}/auxv`)
  let interpreterBase = 0
  let entry = 0
  for (let at = 0; at + 16 <= bytes.length; at += 16) {
    const type = bytes.readUInt32LE(at)
    if (type === typeBase) interpreterBase = Number(bytes.readBigUInt64LE(at + 8))
    if (type === typeEntry) entry = Number(bytes.readBigUInt64LE(at + 8))
  }
  return { interpreterBase, entry }
}
