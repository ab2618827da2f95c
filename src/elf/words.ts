/**
 * The whole 32-bit words of some bytes: a view where they are aligned, else a copy. (`slice` is no copy for a
 * Buffer, so it cannot serve here.)
 */
export function wordsOf(bytes: Uint8Array): Uint32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes)
  return new Uint32Array(aligned.buffer, aligned.byteOffset, Math.floor(aligned.length / 4))
}

/** The whole 32-bit words from an address of a file on: fewer where it ends, none where the address is not in it. */
export function wordsAt(
  { bytesAt }: { readonly bytesAt: (address: number, length: number) => Uint8Array },
  address: number | undefined,
  count: number,
): Uint32Array {
  return wordsOf(bytesAt(address ?? -1, count * 4))
}
