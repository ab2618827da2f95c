import { defineConfig } from 'rolldown'

/**
 * Few files start faster than many: Node looks up and compiles each. Both programs and what they share lie one folder
 * deep, as the sources do, so that relative paths to other files of the package hold in both.
 */
export default defineConfig({
  input: { 'cli/main': 'src/cli/main.ts', 'guard/main': 'src/guard/main.ts' },
  platform: 'node',
  external: ['koffi', 'iced-x86', /^gecko-profiler-demangle/],
  output: {
    dir: 'dist',
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'shared/[name].js',
    cleanDir: true,
  },
})
