/**
 * When a phase of a trace was over, in milliseconds since utrace began, as `utrace -d` says it:
 * `utrace:    201 ms: planned: 343 functions`.
 */
export function phaseMs(stderr: string, phase: string): number | undefined {
  const found = new RegExp(`^utrace: +([\\d.]+) ms: ${phase}\\b`, 'm').exec(stderr)
  return found === null ? undefined : Number(found[1])
}
