import { asPid, type Pid } from '../base/units.ts'

/** What utrace tells its guard, a line each. */
export type GuardMessage =
  | { readonly kind: 'traced'; readonly pid: Pid; readonly startTicks: string }
  | { readonly kind: 'forgotten'; readonly pid: Pid }
  | { readonly kind: 'done' }

/** File descriptors that the guard inherits. */
export const descriptors = { functionsMap: 3, processesMap: 4, listReturnsProgram: 5 } as const

export function formatGuardMessage(message: GuardMessage): string {
  if (message.kind === 'traced') return `+${message.pid} ${message.startTicks}\n`
  return message.kind === 'forgotten' ? `-${message.pid}\n` : 'done\n'
}

export function parseGuardMessage(line: string): GuardMessage | undefined {
  if (line === 'done') return { kind: 'done' }
  const match = /^([+-])(\d+)(?: (\d+))?$/.exec(line)
  if (match === null) return undefined
  const pid = asPid(Number(match[2]))
  if (match[1] === '-') return { kind: 'forgotten', pid }
  return match[3] === undefined ? undefined : { kind: 'traced', pid, startTicks: match[3] }
}
