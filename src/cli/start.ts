import { readFileSync } from 'node:fs'
import Module, { createRequire } from 'node:module'
import { basename, dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { deserialize, serialize } from 'node:v8'
import { Script } from 'node:vm'
import { readCachedBytes, writeCachedBytes } from '../base/disk-cache.ts'
import { ownBuild } from '../base/own-build.ts'

/** What V8 has made of the package's files. */
interface CompiledCode {
  /** V8 refuses code of other versions and flags of its own; of the source it compares no more than the length. */
  readonly build: string
  readonly files: { readonly [name: string]: Uint8Array }
}

/**
 * What the built package starts with: runs its files with the code that V8 compiled for an earlier run of the same
 * command. Compiling takes longer than anything else a short run does.
 */
class PackageLoader {
  readonly #kept: CompiledCode['files']
  readonly #scripts = new Map<string, Script>()
  readonly #modules = new Map<string, Module>()
  readonly #cacheName: string
  #learntAnything = false

  /** @param command what is kept for each command by itself: they use different parts */
  constructor(command: string) {
    this.#cacheName = `compiled-${command}`
    this.#kept = ownBuild === undefined ? {} : keptCode(this.#cacheName, ownBuild)
  }

  /** As `require`, for a file of the package. */
  require(file: string): unknown {
    let module = this.#modules.get(file)
    if (module === undefined) {
      module = new Module(file)
      this.#modules.set(file, module)
      const requireOther = createRequire(file)
      const requireAny = (name: string) =>
        name.startsWith('.') ? this.require(resolve(dirname(file), name)) : requireOther(name)
      this.#compile(file).runInThisContext()(module.exports, requireAny, module, file, dirname(file))
    }
    return module.exports
  }

  /** Keeps what was compiled, if it was not all known. To be called at the end: it holds the functions used by then. */
  keep(): void {
    if (ownBuild === undefined || !this.#learntAnything) return
    const files = Object.fromEntries(
      [...this.#scripts].map(([name, script]) => [name, script.createCachedData()]),
    )
    writeCachedBytes(this.#cacheName, serialize({ build: ownBuild, files } satisfies CompiledCode))
  }

  #compile(file: string): Script {
    const name = basename(file)
    const kept = this.#kept[name]
    const script = new Script(Module.wrap(readFileSync(file, 'utf8')), {
      filename: file,
      ...(kept && { cachedData: kept }),
    })
    this.#scripts.set(name, script)
    if (script.cachedDataRejected !== false) this.#learntAnything = true
    return script
  }
}

function keptCode(cacheName: string, build: string): CompiledCode['files'] {
  try {
    const kept = deserialize(readCachedBytes(cacheName) ?? serialize({})) as Partial<CompiledCode>
    return (kept.build === build && kept.files) || {}
  } catch {
    return {}
  }
}

const [, , , first = ''] = process.argv
const loader = new PackageLoader(/^[a-z]+$/.exec(first)?.[0] ?? 'trace')
process.once('exit', () => loader.keep())
loader.require(fileURLToPath(new URL('./main.cjs', import.meta.url)))
