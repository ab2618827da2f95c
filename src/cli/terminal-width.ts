import { closeSync, openSync } from 'node:fs'
import { WriteStream } from 'node:tty'

/**
 * The columns of the terminal that the process belongs to, whatever its standard streams are, or undefined.
 * The terminal is opened anew: Node makes what it looks at non-blocking, which must not happen to shared descriptors.
 */
export function terminalWidth(): number | undefined {
  let fd: number
  try {
    fd = openSync('/dev/tty', 'r+')
  } catch {
    return undefined
  }
  try {
    const terminal = new WriteStream(fd)
    const { columns } = terminal
    terminal.destroy()
    return columns > 0 ? columns : undefined
  } catch {
    closeSync(fd)
    return undefined
  }
}
