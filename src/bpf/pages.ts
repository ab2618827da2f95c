/** Memory is mapped in pages of this size. */
export const pageBytes = 4096

/** What so many bytes take in whole pages. */
export function roundToPage(bytes: number): number {
  return Math.ceil(bytes / pageBytes) * pageBytes
}
