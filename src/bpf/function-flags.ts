import { mapSharedMemory } from '../sys/memory.ts'
import { functionsMax } from './layout.ts'

/** The flags of all functions, as the BPF program sees them. @param fd of the `functions` map */
export function functionFlags(fd: number): Uint8Array {
  return new Uint8Array(mapSharedMemory(fd, 0, functionsMax, 'write'))
}

/** From now on no call begins until that of a function that starts tracing. */
export function pauseTracing(flags: Uint8Array): void {
  flags[functionsMax - 2] = 1
}

/** From now on calls are drawn: before, all are reported. */
export function beginSampling(flags: Uint8Array): void {
  flags[functionsMax - 3] = 1
}

/** Whether deep and short calls are left out from now on. */
export function limitCalls(flags: Uint8Array, isLimited: boolean): void {
  flags[functionsMax - 4] = isLimited ? 1 : 0
}

/** From now on calls may end, but none begins, and no return is hooked any more. */
export function closeTracing(flags: Uint8Array): void {
  flags[functionsMax - 1] = 1
}
