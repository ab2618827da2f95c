import { spawnSync } from 'node:child_process'
import { isatty } from 'node:tty'

const variable = 'UTRACE_PAGED'

/**
 * Whether this output should be shown by a pager: on a terminal, unless PAGER is empty or `cat`, and unless this is
 * already the process whose output a pager shows.
 */
export function wantsPager(fd: number): boolean {
  const { PAGER: pager } = process.env
  return isatty(fd) && process.env[variable] === undefined && pager !== '' && pager !== 'cat'
}

/**
 * Runs this very command again, its output in `$PAGER`, else `less -R`. The shell makes the pipe between them: what
 * writes into it may then wait, and memory does not grow with what nobody has read.
 * @returns the exit status of the pager
 */
export function runInPager(): number {
  const pager = process.env.PAGER ?? 'less'
  const [node, ...words] = [process.execPath, ...process.argv.slice(1)]
  const { status } = spawnSync('/bin/sh', ['-c', `"$0" "$@" | ${pager}`, node!, ...words], {
    stdio: 'inherit',
    // F: not for less than a screen; R: colours; X: what was read stays on the screen.
    env: { LESS: 'FRX', ...process.env, [variable]: '1' },
  })
  return status ?? 1
}

/** Whether a pager shows our output: it is a pipe, and still for a terminal's eyes. */
export function isPaged(): boolean {
  return process.env[variable] !== undefined
}
