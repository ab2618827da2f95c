import type { VirtualAddress } from '../base/units.ts'
import type { ModuleCode } from './module-code.ts'

const CHUNK_BYTES = 64 << 10
const MAX_CHUNKS = 8

/**
 * The same code, read in larger pieces: functions lie next to each other, and a system call for each costs more than
 * planning it.
 */
export function cachedRead(read: ModuleCode['read']): ModuleCode['read'] {
  const chunks: { address: VirtualAddress; bytes: Uint8Array }[] = []
  return (address, size) => {
    if (size > CHUNK_BYTES) return read(address, size)
    const at = chunks.findIndex(
      (chunk) => address >= chunk.address && address + size <= chunk.address + chunk.bytes.length,
    )
    let chunk = chunks[at]
    if (chunk === undefined) {
      const bytes = read(address, CHUNK_BYTES)
      if (bytes === undefined || bytes.length < size) return read(address, size)
      chunk = { address, bytes }
      if (chunks.length === MAX_CHUNKS) chunks.pop()
      chunks.unshift(chunk)
    }
    const start = address - chunk.address
    return chunk.bytes.subarray(start, start + size)
  }
}
