import { formatDuration } from '../base/duration.ts'

/** `1 call`, `2 calls`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** `1.234 us` */
export function durationText(ns: number): string {
  const { text, unit } = formatDuration(ns)
  return `${text.trim()} ${unit}`
}

/** `12.3 %` */
export function shareText(part: number, whole: number): string {
  return `${whole === 0 ? '0.0' : ((100 * part) / whole).toFixed(1)} %`
}
