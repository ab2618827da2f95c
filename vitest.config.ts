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
          testTimeout: 120_000,
          // Real programs under real probes: one at a time, so that they do not disturb each other's timing.
          fileParallelism: false,
        },
      },
    ],
  },
})
