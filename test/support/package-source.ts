import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const buildFolder = join(import.meta.dirname, '../build')
const execute = promisify(execFile)

export interface PackageSource {
  readonly name: string
  readonly version: string
  /** `dist.integrity` of the registry: `sha512-` and the digest of the package's archive. */
  readonly integrity: string
}

const folderOf = ({ name, version }: PackageSource) => join(buildFolder, `${name}-${version}`)

/** Where the files of a package of the npm registry are, once it has been fetched. */
export const packageFile = (source: PackageSource, path: string) => join(folderOf(source), 'package', path)

/**
 * Fetches a package for the sources in it. It is not among the dependencies, because it would bring all of its own: what
 * builds it, and what it needs at run time.
 */
export async function fetchPackage(source: PackageSource): Promise<void> {
  const folder = folderOf(source)
  if (existsSync(folder)) return
  const unfinished = `${folder}.${process.pid}`
  mkdirSync(unfinished, { recursive: true })
  try {
    const { stdout } = await execute('npm', ['pack', '--silent', `${source.name}@${source.version}`], {
      cwd: unfinished,
    })
    const archive = join(unfinished, stdout.trim())
    const integrity = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`
    if (integrity !== source.integrity) throw new Error(`${archive} is not what it should be: ${integrity}`)
    await execute('tar', ['xf', archive], { cwd: unfinished })
    rmSync(archive)
    renameSync(unfinished, folder)
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
}
