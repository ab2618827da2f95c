import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { defineConfig } from 'rolldown'

/**
 * Few files start faster than many, which Node has to look up. They are CommonJS, whose compiled code can be kept:
 * src/cli/start.ts. Programs and what they share lie one folder deep, as the sources do, so that relative paths to other
 * files of the package hold in both.
 */
export default defineConfig({
  input: {
    'cli/start': 'src/cli/start.ts',
    'cli/main': 'src/cli/main.ts',
    'guard/main': 'src/guard/main.ts',
  },
  platform: 'node',
  external: ['koffi', 'iced-x86', /^gecko-profiler-demangle/],
  transform: { define: { UTRACE_BUILD: JSON.stringify(sourcesDigest()) } },
  output: {
    dir: 'dist',
    format: 'cjs',
    entryFileNames: '[name].cjs',
    chunkFileNames: 'shared/[name].cjs',
    cleanDir: true,
  },
})

/** Of what a build consists of: the sources, and the packages that they are built with. */
function sourcesDigest(): string {
  const digest = createHash('sha256')
  const sources = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  )
  for (const file of [...sources.sort().map((name) => `src/${name}`), 'package-lock.json']) {
    digest.update(`${file}\0`).update(readFileSync(file))
  }
  return digest.digest('hex')
}
