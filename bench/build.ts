import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { benchFolder, buildFolder, repository, sqliteFolder } from './paths.ts'

const execute = promisify(execFile)
const programsFolder = join(benchFolder, 'programs')

/** How a program of bench/programs is compiled. */
export interface Recipe {
  /** File in bench/programs, or the text of a C file. */
  readonly source: string | { readonly name: string; readonly text: string }
  readonly flags: readonly string[]
  /** SQLite's amalgamation is compiled with the same flags and linked. */
  readonly withSqlite?: boolean
}

/** Compiles a program unless that was done before. @returns its path */
export async function buildProgram(recipe: Recipe): Promise<string> {
  const { source, flags } = recipe
  const name = (typeof source === 'string' ? source : source.name).replace(/\.\w+$/, '')
  const text = typeof source === 'string' ? readFileSync(join(programsFolder, source), 'utf8') : source.text
  const header = readFileSync(join(programsFolder, 'bench.h'), 'utf8')
  const folder = join(buildFolder, 'programs', `${name}-${fingerprint([text, header, ...flags])}`)
  const program = join(folder, name)
  if (existsSync(program)) return program
  mkdirSync(folder, { recursive: true })
  const extra = recipe.withSqlite ? [await buildSqlite(flags), '-lm'] : []
  const compiler = typeof source === 'string' && source.endsWith('.cpp') ? ['g++', 'c++'] : ['gcc', 'c']
  const input = ['-x', compiler[1]!, '-', '-x', 'none', `-I${programsFolder}`, `-I${sqliteFolder}`]
  // Renamed when it is whole: an interrupted build leaves nothing that looks finished.
  const unfinished = `${program}.${process.pid}`
  await compile(compiler[0]!, [...flags, '-pthread', ...input, ...extra, '-o', unfinished], text)
  renameSync(unfinished, program)
  return program
}

async function buildSqlite(flags: readonly string[]): Promise<string> {
  const source = join(sqliteFolder, 'sqlite3.c')
  const folder = join(buildFolder, 'programs')
  const object = join(folder, `sqlite3-${fingerprint([readFileSync(source, 'utf8'), ...flags])}.o`)
  if (existsSync(object)) return object
  mkdirSync(folder, { recursive: true })
  const defines = ['-DSQLITE_THREADSAFE=0', '-DSQLITE_OMIT_LOAD_EXTENSION']
  const unfinished = `${object}.${process.pid}`
  await compile('gcc', [...flags, '-w', ...defines, '-c', source, '-o', unfinished])
  renameSync(unfinished, object)
  return object
}

function compile(compiler: string, args: readonly string[], input = ''): Promise<unknown> {
  const running = execute(compiler, [...args])
  running.child.stdin?.end(input)
  return running
}

function fingerprint(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 10)
}

/** utrace with empty BPF programs: a copy of the built package whose BPF object is that of floor.bpf.c. */
export async function buildFloor(): Promise<string> {
  const folder = join(buildFolder, 'floor')
  rmSync(folder, { recursive: true, force: true })
  for (const part of ['bin', 'dist']) cpSync(join(repository, part), join(folder, part), { recursive: true })
  mkdirSync(join(folder, 'bpf'))
  await compile('clang-14', [
    ...['-O2', '-target', 'bpf', '-mcpu=v3', '-I/usr/include/x86_64-linux-gnu', '-c'],
    join(benchFolder, 'floor.bpf.c'),
    '-o',
    join(folder, 'bpf/utrace.bpf.o'),
  ])
  return join(folder, 'bin/utrace')
}

/** What is compiled for the benchmarks looks for the BPF object beside itself, as the package does. */
export function copyBpfObject(): void {
  cpSync(join(repository, 'bpf/utrace.bpf.o'), join(buildFolder, 'bpf/utrace.bpf.o'))
}
