/**
 * The whole 32-bit words of some bytes: a view where they are aligned, else a copy. (`slice` is no copy for a
 * Buffer, so it cannot serve here.)
 */
export function wordsOf(bytes: Uint8Array): Uint32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes)
  return new Uint32Array(aligned.buffer, aligned.byteOffset, Math.floor(aligned.length / 4))
}
