import { UsageError } from './errors.ts'
import { quoteText } from './escape.ts'

/**
 * A size in bytes as people write it: a whole number, alone or with `K`, `M` or `G` (powers of 1024; `KB` and `KiB`
 * mean the same, and case does not matter).
 * @throws UsageError with a message that says what was expected
 */
export function parseSize(text: string): number {
  const match = /^(\d{1,15})[ \t]*(?:([kmg])(?:i?b)?)?$/i.exec(text.trim())
  if (match === null) {
    throw new UsageError(
      `${quoteText(text)} is not a size: give a number of bytes, or one with K, M or G, such as 4M`,
    )
  }
  const exponent = match[2] === undefined ? 0 : 1 + 'kmg'.indexOf(match[2].toLowerCase())
  return Number(match[1]) * 1024 ** exponent
}

/** A size for people, in powers of 1024: `512 bytes`, `4.5 MB`. */
export function formatSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`
  const exponent = Math.min(3, Math.floor(Math.log2(bytes) / 10))
  return `${(bytes / 1024 ** exponent).toFixed(1)} ${'KMG'[exponent - 1]}B`
}
