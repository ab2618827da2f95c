import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    reporters: ['default', 'json'],
    outputFile: { json: 'test/build/report.json' },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/support/**/*.test.ts', 'test/oracle/**/*.test.ts'],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'end-to-end',
          include: ['test/*.test.ts'],
          testTimeout: 240_000,
          // Real programs under real probes: one file at a time, so that they do not disturb each other's timing.
          fileParallelism: false,
          // Within a file, as many at a time as a small machine has processors.
          maxConcurrency: 2,
          // The kernel can stall for seconds when probes are removed while others are in use: once more, and no oftener.
          retry: 1,
        },
      },
    ],
  },
})
