import { asPid, type Pid } from '../base/units.ts'

/** What utrace tells its guard, a line each. */
export type GuardMessage =
  | { readonly kind: 'traced'; readonly pid: Pid; readonly startTicks: string }
  | { readonly kind: 'forgotten'; readonly pid: Pid }
  | { readonly kind: 'done' }
  /** `hold`: the guard makes copies of these descriptors of utrace's, and answers. `release`: it closes them. */
  | { readonly kind: 'hold' | 'release'; readonly descriptors: readonly number[] }

/** File descriptors that the guard inherits. */
export const descriptors = { functionsMap: 3, processesMap: 4, listReturnsProgram: 5 } as const

/** What the guard answers, a byte each: first that it is there, later to each `hold`. */
export const answers = { ready: 'r', held: 'h', refused: 'f' } as const

export function formatGuardMessage(message: GuardMessage): string {
  if (message.kind === 'traced') return `+${message.pid} ${message.startTicks}\n`
  if (message.kind === 'hold' || message.kind === 'release')
    return `${message.kind} ${message.descriptors.join(' ')}\n`
  return message.kind === 'forgotten' ? `-${message.pid}\n` : 'done\n'
}

export function parseGuardMessage(line: string): GuardMessage | undefined {
  if (line === 'done') return { kind: 'done' }
  const [, kind, list] = /^(hold|release) (\d+(?: \d+)*)$/.exec(line) ?? []
  if (list !== undefined)
    return { kind: kind as 'hold' | 'release', descriptors: list.split(' ').map(Number) }
  const match = /^([+-])(\d+)(?: (\d+))?$/.exec(line)
  if (match === null) return undefined
  const pid = asPid(Number(match[2]))
  if (match[1] === '-') return { kind: 'forgotten', pid }
  return match[3] === undefined ? undefined : { kind: 'traced', pid, startTicks: match[3] }
}
