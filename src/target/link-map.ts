import { asRuntimeAddress, type RuntimeAddress } from '../base/units.ts'
import type { ProcessMemory } from './process.ts'

/**
 * The dynamic linker's own account of a process, as debuggers read it: `struct r_debug` and `struct link_map` of
 * glibc's <link.h>, which musl shares.
 */
export interface LoaderState {
  /** False while the dynamic linker is changing the list. */
  readonly consistent: boolean
  /** In the order in which symbols are looked up. */
  readonly modules: readonly LoadedModule[]
}

export interface LoadedModule {
  /** What is added to the file's virtual addresses. */
  readonly loadBias: number
  /** Address of its dynamic section: lies in one of its mappings. */
  readonly dynamicSection: RuntimeAddress
}

const tagDebug = 21
const tagNull = 0
const stateOffset = 24
const mapOffset = 8
const modulesLimit = 10_000
const dynamicEntriesLimit = 1_000

/**
 * @param dynamicSection where the executable's dynamic section is in memory
 * @returns undefined as long as the dynamic linker has not left the address of its account there
 */
export function readLoaderState(
  memory: ProcessMemory,
  dynamicSection: RuntimeAddress,
): LoaderState | undefined {
  const debug = readDynamicEntry(memory, dynamicSection, tagDebug)
  if (debug === undefined || debug === 0) return undefined
  const state = memory.read(debug + stateOffset, 4)?.readInt32LE()
  if (state === undefined) return undefined
  const modules: LoadedModule[] = []
  let map = memory.readPointer(debug + mapOffset)
  while (map !== undefined && map !== 0 && modules.length < modulesLimit) {
    // l_addr, l_name, l_ld, l_next
    const entry = memory.read(map, 32)
    if (entry === undefined) break
    modules.push({
      loadBias: Number(BigInt.asIntN(64, entry.readBigUInt64LE(0))),
      dynamicSection: asRuntimeAddress(Number(entry.readBigUInt64LE(16))),
    })
    map = Number(entry.readBigUInt64LE(24))
  }
  return { consistent: state === 0, modules }
}

function readDynamicEntry(memory: ProcessMemory, section: RuntimeAddress, tag: number): number | undefined {
  for (let index = 0; index < dynamicEntriesLimit; index++) {
    const entry = memory.read(section + index * 16, 16)
    if (entry === undefined) return undefined
    const entryTag = Number(entry.readBigInt64LE(0))
    if (entryTag === tagNull) return undefined
    if (entryTag === tag) return Number(entry.readBigUInt64LE(8))
  }
  return undefined
}
