import koffi from 'koffi'

/** Demangles one name of the Itanium C++ ABI; undefined for what is no such name. */
export type CxaDemangle = (mangled: string) => string | undefined

/**
 * `__cxa_demangle` of the C++ library that Node itself runs on (about 1 µs a name). It knows clone suffixes, and
 * gives up by itself on names of more than 1,024 bytes.
 * @returns undefined where the library cannot be loaded, as under a statically linked Node
 */
export function loadCxaDemangle(): CxaDemangle | undefined {
  try {
    // The result is malloc'ed: a disposable string is copied, then freed.
    const demangle = koffi
      .load('libstdc++.so.6')
      .func('__cxa_demangle', koffi.disposable('str'), ['str', 'void *', 'void *', 'void *'])
    return (mangled) => demangle(mangled, null, null, null) ?? undefined
  } catch {
    return undefined
  }
}
