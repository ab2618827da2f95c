import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** This file runs compiled, as bench/build/bench/paths.js. */
export const repository = join(import.meta.dirname, '../../..')
export const benchFolder = join(repository, 'bench')
export const buildFolder = join(benchFolder, 'build')
export const utrace = join(repository, 'bin/utrace')
export const sqliteFolder = join(repository, 'node_modules/better-sqlite3/deps/sqlite3')

/** Runs something with a folder for its files, which is gone afterwards. */
export async function withScratch<Result>(use: (folder: string) => Promise<Result>): Promise<Result> {
  mkdirSync(buildFolder, { recursive: true })
  const folder = mkdtempSync(join(tmpdir(), 'utrace-bench-'))
  try {
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
