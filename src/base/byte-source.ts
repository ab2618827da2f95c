/** Random access to bytes: a file, an image in memory, a part of either. Reads beyond the end come back short. */
export interface ByteSource {
  readonly size: number
  /** At most `length` bytes from `offset`: a view or a copy that the caller must not change. */
  read(offset: number, length: number): Uint8Array
}

/** A byte source over bytes that are already in memory. */
export function memorySource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    read: (offset, length) => bytes.subarray(Math.max(0, offset), Math.max(0, offset) + Math.max(0, length)),
  }
}
