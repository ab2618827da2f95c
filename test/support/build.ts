import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { limitTo } from './limit.ts'
import { fetchPackage, type PackageSource } from './package-source.ts'

export const targetsFolder = join(import.meta.dirname, '../targets')
const oracleSource = join(import.meta.dirname, '../oracle/oracle.c')
const buildFolder = join(import.meta.dirname, '../build')

export interface Build {
  /** File in test/targets. */
  readonly source: string
  readonly compiler?: 'gcc' | 'clang' | 'musl-gcc'
  /** For compiling and linking alike. */
  readonly flags?: readonly string[]
  /** For the last step only: `-static`, `-Wl,-z,now`. */
  readonly linkFlags?: readonly string[]
  /** Sources of shared libraries in test/targets; each is linked with those after it. */
  readonly libraries?: readonly string[]
  /** Whether `libraries` are only built, linked with nothing, for the target to load by itself. */
  readonly loadsByItself?: boolean
  /** Further sources, by their absolute paths, linked into the executable. */
  readonly extraSources?: readonly string[]
  /** What `extraSources` are taken from. */
  readonly from?: PackageSource
  /** Shell commands for the folder of the finished executable, which is named like its source: to strip it, and the like. */
  readonly after?: readonly string[]
  /** Without an instrumented build: what has no oracle. */
  readonly plainOnly?: boolean
}

/** One folder per build: the executable, its objects and libraries. */
export interface Built {
  readonly name: string
  readonly plain: string
  readonly instrumented: string
}

export const executableOf = (folder: string, name: string) => join(folder, name)
export const objectOf = (folder: string, name: string) => join(folder, `${name}.o`)
const libraryOf = (folder: string, source: string) => join(folder, `${stem(source)}.so`)

/** The arguments of a case for the build in a folder: `{LIBRARIES}` stands for that. */
export const argumentsFor = (args: readonly string[] = [], folder: string) =>
  args.map((argument) => argument.replace('{LIBRARIES}', folder))

const stem = (source: string) => basename(source).replace(/\.\w+$/, '')
const execute = promisify(execFile)
const compilers = limitTo(2)

async function compile(compiler: string, args: readonly string[]): Promise<void> {
  await compilers(() => execute(compiler, [...args], { maxBuffer: 1 << 24 }))
}

function compilerFor(build: Build, source: string): string {
  const compiler = build.compiler ?? 'gcc'
  if (!source.endsWith('.cpp')) return compiler
  return compiler === 'clang' ? 'clang++' : 'g++'
}

/** What the result depends on, so that a second run of the suite compiles nothing. */
function fingerprint(build: Build): string {
  const hash = createHash('sha256').update(JSON.stringify(build))
  const files = [build.source, ...(build.libraries ?? []), 'target.h'].map((file) =>
    join(targetsFolder, file),
  )
  for (const file of [...files, ...(build.extraSources ?? []), oracleSource, import.meta.filename])
    hash.update(readFileSync(file))
  return hash.digest('hex').slice(0, 12)
}

const oracleObjects = new Map<string, Promise<string>>()

/** The oracle for one module: the same for all builds by a compiler. */
function oracleObject(compiler: string, moduleName: string): Promise<string> {
  const source = createHash('sha256').update(readFileSync(oracleSource)).digest('hex').slice(0, 12)
  const object = join(buildFolder, `oracle-${compiler}-${moduleName}-${source}.o`)
  const known = oracleObjects.get(object)
  if (known !== undefined) return known
  const made = (async () => {
    const unfinished = `${object}.${process.pid}`
    const define = `-DORACLE_MODULE="${moduleName}"`
    await compile(compiler, ['-O1', '-fPIC', '-c', define, oracleSource, '-o', unfinished])
    renameSync(unfinished, object)
    return object
  })()
  oracleObjects.set(object, made)
  return made
}

async function buildInto(folder: string, build: Build, instrumented: boolean): Promise<void> {
  const flags = [...(build.flags ?? ['-O0']), '-w', '-pthread']
  const oracle = async (moduleName: string): Promise<string[]> =>
    instrumented ? [await oracleObject(compilerFor(build, 'oracle.c'), moduleName)] : []
  const instrument = instrumented ? ['-finstrument-functions'] : []
  const libraries: string[] = []
  for (const source of [...(build.libraries ?? [])].reverse()) {
    const library = libraryOf(folder, source)
    const shared = ['-shared', '-fPIC', `-Wl,-soname,${basename(library)}`, '-Wl,-rpath,$ORIGIN']
    const input = join(targetsFolder, source)
    const parts = [...(await oracle(stem(source))), ...(build.loadsByItself ? [] : libraries)]
    await compile(compilerFor(build, source), [
      ...flags,
      ...instrument,
      ...shared,
      input,
      ...parts,
      '-o',
      library,
    ])
    libraries.unshift(library)
  }
  const name = stem(build.source)
  const object = objectOf(folder, name)
  const compiler = compilerFor(build, build.source)
  await compile(compiler, [...flags, ...instrument, '-c', join(targetsFolder, build.source), '-o', object])
  const extraObjects = (build.extraSources ?? []).map((source) => objectOf(folder, stem(source)))
  await Promise.all(
    (build.extraSources ?? []).map((source, index) =>
      compile(compilerFor(build, source), [
        ...flags,
        ...instrument,
        '-c',
        source,
        '-o',
        extraObjects[index]!,
      ]),
    ),
  )
  const linked = [object, ...extraObjects, ...(await oracle(name)), ...(build.loadsByItself ? [] : libraries)]
  const findLibraries = libraries.length > 0 ? ['-Wl,-rpath,$ORIGIN'] : []
  const link = [
    ...flags,
    ...(build.linkFlags ?? []),
    ...findLibraries,
    '-o',
    executableOf(folder, name),
    '-ldl',
  ]
  await compile(compiler, [...linked, ...link])
  for (const command of build.after ?? []) await execute('sh', ['-c', command], { cwd: folder })
}

const builds = new Map<string, Promise<Built>>()

/** Builds a target, plain and instrumented, unless that was done before, in this run or an earlier one. */
export async function buildTarget(build: Build): Promise<Built> {
  if (build.from !== undefined) await fetchPackage(build.from)
  return buildOnce(build)
}

/** Builds a program that needs no oracle. @returns its path */
export async function plainProgram(source: string, flags: readonly string[] = ['-O2']): Promise<string> {
  const { plain, name } = await buildTarget({ source, flags, plainOnly: true })
  return executableOf(plain, name)
}

function buildOnce(build: Build): Promise<Built> {
  const name = stem(build.source)
  const key = `${name}-${fingerprint(build)}`
  const known = builds.get(key)
  if (known !== undefined) return known
  const folder = join(buildFolder, key)
  const made = (async () => {
    if (!existsSync(folder)) {
      const unfinished = join(buildFolder, `${key}.${process.pid}`)
      const kinds = build.plainOnly ? ['plain'] : ['plain', 'instrumented']
      for (const kind of kinds) mkdirSync(join(unfinished, kind), { recursive: true })
      try {
        await Promise.all(kinds.map((kind) => buildInto(join(unfinished, kind), build, kind !== 'plain')))
        renameSync(unfinished, folder)
      } finally {
        rmSync(unfinished, { recursive: true, force: true })
      }
    }
    return { name, plain: join(folder, 'plain'), instrumented: join(folder, 'instrumented') }
  })()
  builds.set(key, made)
  return made
}
