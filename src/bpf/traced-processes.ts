import { asPid, type Pid } from '../base/units.ts'
import { BpfAttributes, bpf } from '../sys/bpf.ts'
import { SystemCallError } from '../sys/libc.ts'

/** More than the map holds: it may change while it is walked through, and then the walk begins anew. */
const keysMax = 1 << 16

/** The processes that the kernel side knows as traced. @param mapFd of the `processes` map */
export function tracedProcesses(mapFd: number): Pid[] {
  const pids = new Set<Pid>()
  const next = Buffer.alloc(4)
  let attributes = new BpfAttributes().u32(0, mapFd).pointer(16, next)
  try {
    for (let count = 0; count < keysMax; count++) {
      bpf('mapNextKey', attributes)
      pids.add(asPid(next.readUInt32LE()))
      attributes = new BpfAttributes().u32(0, mapFd).pointer(8, Buffer.from(next)).pointer(16, next)
    }
  } catch (error) {
    if (!(error instanceof SystemCallError && error.code === 'ENOENT')) throw error
  }
  return [...pids]
}
