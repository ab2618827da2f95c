import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { packageFile } from '../support/package-source.ts'
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

/** LibSass, 4,000 functions of C++ that throw and catch, as the npm package `node-sass` ships it. */
const nodeSass = {
  name: 'node-sass',
  version: '9.0.0',
  integrity:
    'sha512-yltEuuLrfH6M7Pq2gAj5B6Zm7m+gdZoG66wTqG6mIZV/zijq3M2OO2HswtT6oBspPyFhHDcaxWpsBm0fRNDHPg==',
} as const
const libSass = (path: string) => packageFile(nodeSass, `src/libsass/${path}`)
const libSassParts = `ast.cpp ast_fwd_decl.cpp backtrace.cpp base64vlq.cpp bind.cpp c99func.c cencode.c
   check_nesting.cpp color_maps.cpp constants.cpp context.cpp cssize.cpp emitter.cpp
   environment.cpp error_handling.cpp eval.cpp expand.cpp extend.cpp file.cpp functions.cpp
   inspect.cpp json.cpp lexer.cpp listize.cpp memory/SharedPtr.cpp node.cpp operators.cpp
   output.cpp parser.cpp plugins.cpp position.cpp prelexer.cpp remove_placeholders.cpp sass.cpp
   sass2scss.cpp sass_context.cpp sass_functions.cpp sass_util.cpp sass_values.cpp source_map.cpp
   subset_map.cpp to_c.cpp to_value.cpp units.cpp utf8_string.cpp util.cpp values.cpp`

const libSassBuild = {
  source: 'sass-workload.cpp',
  flags: ['-O1', '-std=c++11', `-I${libSass('include')}`, '-DLIBSASS_VERSION="3.5.5"'],
  linkFlags: ['-ldl'],
  extraSources: libSassParts.split(/\s+/).map((part) => libSass(`src/${part}`)),
  from: nodeSass,
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
  {
    name: 'LibSass, all functions',
    build: libSassBuild,
    tree: 'none',
    unwinds: true,
    calls: { main: 1, _Z7compilePKcS0_: 3, __cxa_throw: 2, sass_make_data_context: 3 },
    ends: { main: 'return', _Z7compilePKcS0_: 'return', sass_compile_data_context: 'return' },
    functionsTraced: 4000,
  },
]
