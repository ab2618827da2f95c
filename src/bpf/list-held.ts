import { asTid, asTraceNs, type Pid, type Tid, type TraceNs } from '../base/units.ts'
import { heldCall, heldCallsMax, heldThread } from './layout.ts'
import { iterateThreads } from './task-iterator.ts'

/** An open call that has not been reported: it would not be if it ended now. */
export interface HeldCall {
  readonly beginNs: TraceNs
  /** The stack pointer at its entry probe. */
  readonly pointer: number
  readonly functionId: number
  readonly cpu: number
  /** What hits that make no event had cost the thread before it, in all. */
  readonly hiddenNs: number
}

/** A thread with open calls that have not been reported, the outermost first, or with costs that have not. */
export interface HeldThread {
  readonly tid: Tid
  readonly calls: readonly HeldCall[]
  /** What hits that make no event have cost it by now, in all. */
  readonly hiddenNs: number
}

/**
 * Lists what the threads of a process have not told. They run on: a thread that was changing it just then is left out.
 * @param programFd of the program `list_held`
 * @param baseNs what is subtracted from every time
 */
export function listHeld(programFd: number, pid: Pid, baseNs: bigint): HeldThread[] {
  const bytes = iterateThreads(programFd, pid)
  const threads: HeldThread[] = []
  for (let at = 0; at + heldThread.bytes <= bytes.length; at += heldThread.bytes) {
    const version = bytes.readUInt32LE(at + heldThread.version)
    const isWhole = version % 2 === 0 && version === bytes.readUInt32LE(at + heldThread.versionAfter)
    if (isWhole) threads.push(readThread(bytes, at, baseNs))
  }
  return threads
}

function readThread(bytes: Buffer, at: number, baseNs: bigint): HeldThread {
  const end = bytes.readUInt32LE(at + heldThread.end)
  const calls: HeldCall[] = []
  for (let number = bytes.readUInt32LE(at + heldThread.told); number !== end; number = (number + 1) >>> 0) {
    const from = at + heldThread.calls + (number % heldCallsMax) * heldCall.bytes
    calls.push({
      beginNs: asTraceNs(Number(bytes.readBigUInt64LE(from + heldCall.beginNs) - baseNs)),
      pointer: Number(bytes.readBigUInt64LE(from + heldCall.pointer)),
      functionId: bytes.readUInt32LE(from + heldCall.functionId),
      cpu: bytes.readUInt32LE(from + heldCall.cpu),
      hiddenNs: Number(bytes.readBigUInt64LE(from + heldCall.hiddenNs)),
    })
  }
  return {
    tid: asTid(bytes.readUInt32LE(at + heldThread.thread)),
    calls,
    hiddenNs: Number(bytes.readBigUInt64LE(at + heldThread.hiddenNs)),
  }
}
