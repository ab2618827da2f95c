/** Put in by the build (rolldown.config.ts): a digest of the sources. */
declare const UTRACE_BUILD: string

/** Tells this build of utrace from every other: 64 hexadecimal digits; undefined where sources run that were not built. */
export const ownBuild = typeof UTRACE_BUILD === 'undefined' ? undefined : UTRACE_BUILD
