import { afterEach } from 'vitest'
import { start } from './process.ts'
import { temporaryFile } from './utrace.ts'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup()
})

/** Does something when the test that runs now is over: what was asked for last comes first. Not for concurrent tests. */
export function afterTest(cleanup: () => void): void {
  cleanups.push(cleanup)
}

/** A path for a file of the test that runs now. */
export function scratch(suffix = ''): ReturnType<typeof temporaryFile> {
  const file = temporaryFile(suffix)
  afterTest(file.remove)
  return file
}

/** Starts a process that does not outlive the test that runs now. */
export function begin(...parameters: Parameters<typeof start>): ReturnType<typeof start> {
  const started = start(...parameters)
  afterTest(started.stop)
  return started
}
