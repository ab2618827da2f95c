import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { messageOf, UserError } from '../base/errors.ts'
import { quoteText } from '../base/escape.ts'
import { nearestMatch } from '../base/nearest.ts'

/** A line of passwd(5). */
export interface UserAccount {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly home: string
  readonly shell: string
}

/**
 * Looks a user up by name, else by number, as chown(1) does: in the passwd file, and where that does not know it
 * through `getent`, which asks the directory services that the machine is set up for.
 * @throws UserError that names the nearest user, where there is none
 */
export function findUser(nameOrId: string, passwdPath = '/etc/passwd'): UserAccount {
  const local = readAccounts(passwdPath)
  const account = pick(local, nameOrId) ?? pick(askDirectory(nameOrId), nameOrId)
  if (account !== undefined) return account
  const names = local.map((known) => known.name)
  const nearest = nearestMatch(nameOrId, names)
  const fix = nearest === undefined ? "see 'getent passwd' for those there are" : `did you mean '${nearest}'?`
  throw new UserError(`there is no user ${quoteText(nameOrId)}: ${fix}`)
}

function pick(accounts: readonly UserAccount[], nameOrId: string): UserAccount | undefined {
  const id = /^\d+$/.test(nameOrId) ? Number(nameOrId) : undefined
  return accounts.find(({ name }) => name === nameOrId) ?? accounts.find(({ uid }) => uid === id)
}

function readAccounts(passwdPath: string): readonly UserAccount[] {
  try {
    return parsePasswd(readFileSync(passwdPath, 'utf8'))
  } catch (error) {
    // A machine may keep no users in files.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new UserError(`cannot read ${passwdPath}: ${messageOf(error)}`, { cause: error })
  }
}

/** Lines that describe no account (comments, NIS markers such as `+::::::`, damage) are passed over. */
function parsePasswd(text: string): UserAccount[] {
  return text.split('\n').flatMap((line) => {
    const [name, , uid, gid, , home, shell] = line.split(':')
    if (!name || !isId(uid) || !isId(gid)) return []
    // passwd(5): an empty shell stands for /bin/sh.
    return [{ name, uid: Number(uid), gid: Number(gid), home: home || '/', shell: shell || '/bin/sh' }]
  })
}

/** 2^32 - 1 means "no change" to setuid(2) and its kin: it is nobody's id. */
function isId(text: string | undefined): boolean {
  return text !== undefined && /^\d{1,10}$/.test(text) && Number(text) < 0xffffffff
}

const getentKeyNotFound = 2

function askDirectory(nameOrId: string): readonly UserAccount[] {
  try {
    const found = execFileSync('getent', ['passwd', '--', nameOrId], {
      encoding: 'utf8',
      timeout: 10_000,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return parsePasswd(found)
  } catch (error) {
    const { code, status } = error as NodeJS.ErrnoException & { readonly status?: number | null }
    if (status === getentKeyNotFound || code === 'ENOENT') return []
    throw new UserError(`cannot look up the user ${quoteText(nameOrId)}: getent: ${messageOf(error)}`, {
      cause: error,
    })
  }
}
