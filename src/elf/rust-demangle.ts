import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

/** What the WebAssembly module of gecko-profiler-demangle 0.4 exports (wasm-bindgen's calling convention). */
interface DemangleModule {
  readonly memory: { readonly buffer: ArrayBuffer }
  /** @returns pointer and length of a string that the caller frees */
  demangle_any(pointer: number, length: number): [number, number]
  __wbindgen_malloc(size: number, alignment: number): number
  __wbindgen_free(pointer: number, size: number, alignment: number): void
}

/** The types of Node leave WebAssembly to the browser's, which nothing else here needs. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object, imports: object) => { readonly exports: object }
}

let loaded: DemangleModule | undefined

/** Mangling of rustc: v0 (RFC 2603), or the legacy one, a C++ name that ends in a hash. */
export function isRustSymbol(symbol: string): boolean {
  return symbol.startsWith('_R') || (symbol.startsWith('_ZN') && /17h[0-9a-f]{16}E(?:\.|$)/.test(symbol))
}

/** The path of a Rust function without its hash; undefined where the name only looks like one. */
export function demangleRust(symbol: string): string | undefined {
  loaded ??= load()
  const { memory, demangle_any, __wbindgen_malloc, __wbindgen_free } = loaded
  const bytes = Buffer.from(symbol)
  const argument = __wbindgen_malloc(bytes.length, 1) >>> 0
  new Uint8Array(memory.buffer).set(bytes, argument)
  const [pointer, length] = demangle_any(argument, bytes.length)
  const text = Buffer.from(memory.buffer, pointer >>> 0, length).toString('utf8')
  __wbindgen_free(pointer, length, 1)
  // What it does not know comes back as it is, or without its first underscore.
  return text === symbol || text === symbol.slice(1) ? undefined : text
}

/**
 * The package's own entry module imports the WebAssembly file as a module, which Node 20 does not do. Compiled at
 * the first Rust name: it takes 8 ms.
 */
function load(): DemangleModule {
  const path = createRequire(import.meta.url).resolve('gecko-profiler-demangle/index_bg.wasm')
  const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(path)), {
    './index_bg.js': { __wbindgen_init_externref_table: () => {} },
  })
  return instance.exports as DemangleModule
}
