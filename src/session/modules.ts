import { readlinkSync } from 'node:fs'
import { basename } from 'node:path'
import { asRuntimeAddress, type Pid, type RuntimeAddress } from '../base/units.ts'
import { fileSource } from '../elf/file-source.ts'
import { type ElfImage, parseElf } from '../elf/image.ts'
import { readAuxiliaryVector } from '../target/auxiliary-vector.ts'
import { readLoaderState } from '../target/link-map.ts'
import { type Mapping, readMappings, withMemory } from '../target/process.ts'

/** An ELF file in a process's memory. */
export interface Module {
  /** Its soname or file name. */
  readonly name: string
  /** `DEVICE:INODE`. */
  readonly file: string
  readonly path: string
  /** The address range of its first executable mapping, as `/proc/PID/map_files` names it. */
  readonly mapping: string
  /** Leads to what its process sees as `/`, which may be a container's. */
  readonly root: string
  readonly image: ElfImage
  readonly loadBias: number
  /** From the first to beyond the last executable byte. */
  readonly code: { readonly start: RuntimeAddress; readonly end: RuntimeAddress }
}

/**
 * A path that leads to a module's very file, also when it was deleted, replaced, or lives in another mount namespace:
 * for as long as a process has it where it was found.
 */
export function pathThrough(pid: Pid, module: Pick<Module, 'mapping'>): string {
  return `/proc/${pid}/map_files/${module.mapping}`
}

export interface ProcessModules {
  readonly executable: Module
  readonly interpreter: Module | undefined
  /** Everything but the executable, in the order in which symbols are looked up as far as it is known. */
  readonly libraries: readonly Module[]
  /** The dynamic linker is not in the middle of changing the list, and has loaded what the executable needs. */
  readonly complete: boolean
}

/** ELF files by identity: each is read once, however many processes map it. */
export class ModuleReader {
  readonly #images = new Map<string, ElfImage | undefined>()

  /** @throws ElfError if the executable is not a program for x86-64; NodeJS.ErrnoException if the process is gone */
  read(pid: Pid): ProcessModules {
    const executablePath = readlinkSync(`/proc/${pid}/exe`)
    const { interpreterBase } = readAuxiliaryVector(pid)
    const modules = new Map<string, Module>()
    for (const mappings of groupByFile(readMappings(pid))) {
      const { path } = mappings[0]!
      const module = this.#module(mappings, path === executablePath)
      if (module !== undefined) modules.set(module.file, module)
    }
    const all = [...modules.values()]
    const executable = all.find((module) => module.path === executablePath)
    if (executable === undefined) throw new Error(`${executablePath} is not in the memory of process ${pid}`)
    const interpreter = all.find(
      ({ image, loadBias }) => interpreterBase !== 0 && loadBias + lowestAddress(image) === interpreterBase,
    )
    return { executable, interpreter, ...orderLibraries(pid, executable, interpreter, all) }
  }

  #module(mappings: readonly Mapping[], isExecutable: boolean): Module | undefined {
    const code = mappings.filter((mapping) => mapping.executable)
    if (code.length === 0) return undefined
    const { file, path, filePath } = code[0]!
    const image = this.#image(file, filePath, path, isExecutable)
    const loadBias = image && loadBiasOf(image, mappings)
    if (image === undefined || loadBias === undefined) return undefined
    return {
      name: isExecutable ? basename(path) : (image.facts.soname ?? basename(path)),
      file,
      path,
      mapping: basename(filePath),
      root: filePath.replace(/map_files\/.*$/, 'root'),
      image,
      loadBias,
      code: { start: code[0]!.start, end: asRuntimeAddress(Math.max(...code.map(({ end }) => end))) },
    }
  }

  /** Mapped files that are not ELF libraries (archives, caches) are nobody's module; the executable must be one. */
  #image(file: string, filePath: string, path: string, isExecutable: boolean): ElfImage | undefined {
    if (!this.#images.has(file)) {
      try {
        this.#images.set(file, parseElf(fileSource(filePath), path))
      } catch (error) {
        if (isExecutable) throw error
        this.#images.set(file, undefined)
      }
    }
    return this.#images.get(file)
  }
}

function groupByFile(mappings: readonly Mapping[]): Mapping[][] {
  const groups = new Map<string, Mapping[]>()
  for (const mapping of mappings) {
    const group = groups.get(mapping.file)
    if (group === undefined) groups.set(mapping.file, [mapping])
    else group.push(mapping)
  }
  return [...groups.values()]
}

function lowestAddress(image: ElfImage): number {
  return Math.min(...image.facts.segments.map(({ address }) => address - (address % 4096)))
}

/** What the loader has added to the file's addresses: the same for all of its segments. */
function loadBiasOf(image: ElfImage, mappings: readonly Mapping[]): number | undefined {
  for (const mapping of mappings) {
    for (const { address, fileOffset, fileSize, executable } of image.facts.segments) {
      const holds = mapping.offset + 4096 > fileOffset && mapping.offset < fileOffset + fileSize
      if (executable && mapping.executable && holds)
        return mapping.start - (address - fileOffset + mapping.offset)
    }
  }
  return undefined
}

/** Symbols are looked up in the order of the dynamic linker's list. */
function orderLibraries(
  pid: Pid,
  executable: Module,
  interpreter: Module | undefined,
  all: readonly Module[],
): Pick<ProcessModules, 'libraries' | 'complete'> {
  const libraries = all.filter((module) => module !== executable)
  const dynamic = executable.image.programHeaders.find(({ type }) => type === programHeaderDynamic)
  if (interpreter === undefined || dynamic === undefined) return { libraries, complete: true }
  const section = asRuntimeAddress(dynamic.address + executable.loadBias)
  const state = withMemory(pid, (memory) => readLoaderState(memory, section))
  if (state === undefined) return { libraries, complete: false }
  const rank = (module: Module) => {
    const index = state.modules.findIndex(({ loadBias }) => loadBias === module.loadBias)
    return index === -1 ? state.modules.length : index
  }
  return {
    libraries: libraries
      .map((module) => ({ module, rank: rank(module) }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ module }) => module),
    complete: state.consistent,
  }
}

const programHeaderDynamic = 2
