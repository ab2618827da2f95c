import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memorySource } from '../../src/base/byte-source.ts'
import { type ElfImage, parseElf } from '../../src/elf/image.ts'

/** A folder of programs that a test builds, and that is gone after it. */
export interface Workshop {
  readonly folder: string
  /** Compiles a source with a driver (`gcc`, `g++`, `clang`) and gives back the path of the result. */
  build(name: string, source: string, flags?: readonly string[], driver?: string): string
  remove(): void
}

export function openWorkshop(): Workshop {
  const folder = mkdtempSync(join(tmpdir(), 'utrace-elf-'))
  return {
    folder,
    build(name, source, flags = [], driver = 'gcc') {
      const extension = driver.includes('++') ? 'cc' : source.startsWith('.') ? 's' : 'c'
      const input = join(folder, `${name}.${extension}`)
      const output = join(folder, name)
      writeFileSync(input, source)
      execFileSync(driver, [input, '-o', output, ...flags], { stdio: ['ignore', 'ignore', 'inherit'] })
      return output
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Reads a file whole and parses it. */
export function loadElf(path: string): ElfImage {
  return parseElf(memorySource(readFileSync(path)), path)
}

/** Parses a file as `sstrip` would leave it: nothing but what the kernel and the dynamic linker need. */
export function loadWithoutSections(path: string): ElfImage {
  const bytes = readFileSync(path)
  bytes.fill(0, 40, 48)
  bytes.fill(0, 58, 64)
  return parseElf(memorySource(bytes), path)
}

/** What a tool of binutils prints, whatever its exit status: readelf fails where separate debug info is missing. */
export function run(tool: string, ...args: string[]): string {
  const { stdout, error } = spawnSync(tool, args, { encoding: 'utf8', maxBuffer: 1 << 28 })
  if (error) throw error
  return stdout
}
