import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from './crc32.ts'

/** What is larger is no cache of ours. */
const maxBytes = 4 << 20
const checksumBytes = 4
const namePattern = /^[\w-]{1,100}$/

/**
 * A fact that was kept by `writeCached`, as JSON; undefined where there is none, or none that can be trusted: whoever
 * uses it may run as root, so that it must be nobody else's.
 * @param name letters, digits, `_` and `-`
 */
export function readCached(name: string): unknown {
  const bytes = readOurs(name, 'json')
  try {
    return bytes && JSON.parse(bytes.toString())
  } catch {
    return undefined
  }
}

/** Keeps a fact for later runs. A cache that cannot be written is as none. */
export function writeCached(name: string, value: unknown): void {
  replace(name, 'json', JSON.stringify(value))
}

/** As `readCached`, for bytes that are no JSON: undefined if one of them has changed. */
export function readCachedBytes(name: string): Buffer | undefined {
  const kept = readOurs(name, 'bin')
  const bytes = kept?.subarray(checksumBytes)
  return bytes && kept!.length > checksumBytes && kept!.readUInt32LE() === crc32(bytes) ? bytes : undefined
}

/** As `writeCached`, for bytes that are no JSON. */
export function writeCachedBytes(name: string, value: Uint8Array): void {
  const checksum = Buffer.alloc(checksumBytes)
  checksum.writeUInt32LE(crc32(value))
  replace(name, 'bin', Buffer.concat([checksum, value]))
}

function readOurs(name: string, extension: string): Buffer | undefined {
  let file: number | undefined
  try {
    const folder = cacheFolder()
    if (folder === undefined || !namePattern.test(name)) return undefined
    file = openSync(join(folder, `${name}.${extension}`), constants.O_RDONLY | constants.O_NOFOLLOW)
    const stats = fstatSync(file)
    if (!stats.isFile() || !isOnlyOurs(stats) || stats.size > maxBytes) return undefined
    return readFileSync(file)
  } catch {
    return undefined
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

function replace(name: string, extension: string, content: string | Uint8Array): void {
  let unfinished: string | undefined
  try {
    const folder = cacheFolder()
    if (folder === undefined || !namePattern.test(name)) return
    unfinished = join(folder, `${name}.${process.pid}.new`)
    writeFileSync(unfinished, content, { flag: 'wx', mode: 0o600 })
    renameSync(unfinished, join(folder, `${name}.${extension}`))
  } catch {
    if (unfinished !== undefined) rmSync(unfinished, { force: true })
  }
}

/** `$XDG_CACHE_HOME/utrace`, without that `~/.cache/utrace`, for root `/var/cache/utrace`; made if it is missing. */
function cacheFolder(): string | undefined {
  const isRoot = process.geteuid?.() === 0
  const base = process.env.XDG_CACHE_HOME || (isRoot ? '/var/cache' : join(homedir(), '.cache'))
  if (!base.startsWith('/') || !isOnlyOurs(statSync(base))) return undefined
  const folder = join(base, 'utrace')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const stats = lstatSync(folder)
  return stats.isDirectory() && isOnlyOurs(stats) ? folder : undefined
}

/** Belongs to this user, and nobody else may write to it. */
const isOnlyOurs = ({ uid, mode }: Stats) => uid === process.geteuid?.() && (mode & 0o022) === 0
