import { readFileSync } from 'node:fs'
import type { Pid } from '../base/units.ts'

/** What the kernel told a new image: getauxval(3). */
export interface AuxiliaryVector {
  /** Where the dynamic linker was loaded; 0 in a static executable. */
  readonly interpreterBase: number
  /** Where the executable's first instruction is. */
  readonly entry: number
  /** It runs with other rights than its caller's: set-user-ID and the like. */
  readonly isSecure: boolean
}

const typeBase = 7
const typeEntry = 9
const typeSecure = 23

/** @throws NodeJS.ErrnoException if the process is gone */
export function readAuxiliaryVector(pid: Pid): AuxiliaryVector {
  const bytes = readFileSync(`/proc/${pid}/auxv`)
  let interpreterBase = 0
  let entry = 0
  let isSecure = false
  for (let at = 0; at + 16 <= bytes.length; at += 16) {
    const type = bytes.readUInt32LE(at)
    if (type === typeBase) interpreterBase = Number(bytes.readBigUInt64LE(at + 8))
    if (type === typeEntry) entry = Number(bytes.readBigUInt64LE(at + 8))
    if (type === typeSecure) isSecure = bytes.readUInt32LE(at + 8) !== 0
  }
  return { interpreterBase, entry, isSecure }
}
