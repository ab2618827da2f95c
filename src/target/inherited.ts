/**
 * What utrace was started with and Node has changed since. `bin/utrace` records it before Node starts, so that the
 * traced program gets exactly what it would have had without utrace.
 */
export interface InheritedState {
  /** Soft limit of open files, or undefined where it was unlimited. */
  readonly openFilesLimit: number | undefined
  /** Names of the signals that were ignored and blocked. */
  readonly ignoredSignals: readonly string[]
  readonly blockedSignals: readonly string[]
  /** Open descriptors above standard error. */
  readonly descriptors: readonly number[]
  /** In its order; undefined where it is not known. */
  readonly environment: NodeJS.ProcessEnv | undefined
}

/** Signal names by number, Linux on x86-64 and arm64 (signal(7)). */
const signalNames =
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'.split(
    ' ',
  )

/**
 * @param text `nofile=1024;ignored=0000000000000001;blocked=0000000000000000;fds= 0 1 2 5;environment=QT0xAA==.`: the last
 *   is /proc/PID/environ (proc(5)) in base64, with a full stop behind it
 */
export function parseInheritedState(text: string): InheritedState {
  const fields = new Map(text.split(';').map(splitAtEquals))
  const limit = Number(fields.get('nofile'))
  return {
    openFilesLimit: Number.isInteger(limit) && limit > 0 ? limit : undefined,
    ignoredSignals: signalsOf(fields.get('ignored')),
    blockedSignals: signalsOf(fields.get('blocked')),
    descriptors: (fields.get('fds') ?? '')
      .split(' ')
      .filter((word) => word !== '')
      .map(Number)
      .filter((descriptor) => descriptor > 2),
    environment: environmentOf(fields.get('environment') ?? ''),
  }
}

function environmentOf(base64: string): NodeJS.ProcessEnv | undefined {
  if (!base64.endsWith('.')) return undefined
  const variables = Buffer.from(base64, 'base64').toString('utf8').split('\0')
  return Object.fromEntries(variables.map(splitAtEquals).filter(([name]) => name !== ''))
}

function splitAtEquals(text: string): [string, string] {
  const equals = text.indexOf('=')
  return equals === -1 ? ['', ''] : [text.slice(0, equals), text.slice(equals + 1)]
}

/** Names of the signals in a mask as /proc/PID/status prints it: hexadecimal, bit n - 1 for signal n. */
function signalsOf(mask: string | undefined): string[] {
  if (mask === undefined || !/^[0-9a-f]+$/i.test(mask)) return []
  const bits = BigInt(`0x${mask}`)
  return signalNames.filter((_, index) => ((bits >> BigInt(index)) & 1n) === 1n)
}
