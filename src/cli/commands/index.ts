import type { CommandDescription } from '../help.ts'

/** A command of utrace besides tracing: `utrace NAME …`. */
export interface Command {
  readonly description: CommandDescription
  /**
   * @param words those after the command's name
   * @param inherited what `bin/utrace` recorded of its surroundings: see `parseInheritedState`
   * @returns the exit status
   */
  run(words: readonly string[], inherited: string): Promise<number>
}

/** Loaded when they are asked for: plain tracing should not wait for them. */
export const commands: Readonly<Record<string, () => Promise<Command>>> = {
  record: () => import('./record.ts'),
  replay: () => import('./replay.ts'),
  info: () => import('./info.ts'),
  dump: () => import('./dump.ts'),
  diff: () => import('./diff.ts'),
  export: () => import('./export.ts'),
  graph: () => import('./graph.ts'),
  report: () => import('./report.ts'),
  stat: () => import('./stat.ts'),
}
