import { accessSync, constants, statSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../base/errors.ts'

const statusNotFound = 127
const statusNotExecutable = 126

/**
 * The file that a shell would run for a command's first word.
 * @throws UserError with a shell's words and its status: 127 not found, 126 not executable
 */
export function resolveCommand(word: string, searchPath: string | undefined): string {
  if (word.includes('/')) {
    const problem = whyNotExecutable(word)
    if (problem !== undefined) throw problem
    return word
  }
  let problem: UserError | undefined
  for (const folder of (searchPath ?? '/usr/local/bin:/usr/bin:/bin').split(':')) {
    const path = join(folder || '.', word)
    const found = whyNotExecutable(path)
    if (found === undefined) return path
    if (found.exitStatus === statusNotExecutable && !isFolder(path)) problem ??= found
  }
  throw problem ?? new UserError(`${word}: command not found`, { exitStatus: statusNotFound })
}

function whyNotExecutable(path: string): UserError | undefined {
  try {
    accessSync(path, constants.X_OK)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      return new UserError(`${path}: No such file or directory`, { exitStatus: statusNotFound, cause })
    }
    return new UserError(`${path}: Permission denied: is it executable (chmod +x)?`, {
      exitStatus: statusNotExecutable,
      cause,
    })
  }
  if (isFolder(path)) return new UserError(`${path}: Is a directory`, { exitStatus: statusNotExecutable })
  return undefined
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}
