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
  diff: async () => (await import('./diff.ts')).command,
  graph: async () => (await import('./graph.ts')).command,
  report: async () => (await import('./report.ts')).command,
}
