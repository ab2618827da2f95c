import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Case } from './case.ts'

const sqlite = join(
  dirname(createRequire(import.meta.url).resolve('better-sqlite3/package.json')),
  'deps/sqlite3',
)

/** SQLite's amalgamation, as the npm package `better-sqlite3` ships it: 2,000 functions and more. */
const sqliteBuild = {
  source: 'sqlite-workload.c',
  flags: [
    '-O1',
    `-I${sqlite}`,
    '-DSQLITE_THREADSAFE=0',
    '-DSQLITE_OMIT_LOAD_EXTENSION',
    '-DSQLITE_ENABLE_MATH_FUNCTIONS',
  ],
  linkFlags: ['-lm'],
  extraSources: [join(sqlite, 'sqlite3.c')],
  plainOnly: true,
} as const

export const realProgramCases: readonly Case[] = [
  {
    name: 'SQLite, all functions',
    build: sqliteBuild,
    tree: 'none',
    calls: { main: 1, execute: 18, fill: 1, sqlite3_open: 1, sqlite3_close: 1 },
    ends: { main: 'return' },
    functionsTraced: 500,
  },
]
