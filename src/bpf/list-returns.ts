import { asTid, type Pid, type RuntimeAddress, type Tid } from '../base/units.ts'
import { iterateThreads } from './task-iterator.ts'

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
  const bytes = iterateThreads(programFd, pid)
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
