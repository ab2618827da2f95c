import { UsageError } from '../base/errors.ts'
import { quoteText } from '../base/escape.ts'
import { parseSize } from '../base/size.ts'
import { splitCommandWords } from './command-words.ts'

export function parseCommand(command: string): readonly string[] {
  const words = splitCommandWords(command)
  if (words.length === 0) throw new UsageError('the command is empty: give a program and its arguments')
  if (words[0] === '') throw new UsageError('the name of the program is empty')
  return words
}

/** PID_MAX_LIMIT of the kernel (include/linux/threads.h) on 64-bit machines. */
const largestTaskId = 4 * 1024 * 1024

export function parseTaskId(text: string, kind: 'process' | 'thread'): number {
  const id = /^\d{1,9}$/.test(text) ? Number(text) : 0
  if (id < 1 || id > largestTaskId) {
    throw new UsageError(`${quoteText(text)} is not a ${kind} id: give a number from 1 to ${largestTaskId}`)
  }
  return id
}

export function parseDepth(text: string): number {
  const depth = /^\d{1,9}$/.test(text) ? Number(text) : 0
  if (depth < 1) {
    throw new UsageError(`${quoteText(text)} is not a depth: give a whole number from 1, the outermost calls`)
  }
  return depth
}

export function parseCalls(text: string): number {
  const calls = /^\d{1,15}$/.test(text) ? Number(text) : 0
  if (calls < 1)
    throw new UsageError(`${quoteText(text)} is not a number of calls: give a whole number from 1`)
  return calls
}

const largestSampleInterval = 1_000_000

/** @returns one call in how many; undefined for 1/1, which is all of them */
export function parseSample(text: string): number | undefined {
  const interval = Number(/^1\s*\/\s*(\d{1,9})$/.exec(text.trim())?.[1] ?? 0)
  if (interval < 1 || interval > largestSampleInterval)
    throw new UsageError(
      `${quoteText(text)} is not a sample: give 1/N, one call in N, such as 1/100 (N up to ${largestSampleInterval})`,
    )
  return interval === 1 ? undefined : interval
}

/** @returns a share of 1 */
export function parseBudget(text: string): number {
  const percent = Number(/^(\d{1,3}(?:\.\d{1,9})?)\s*%?$/.exec(text.trim())?.[1] ?? 0)
  if (percent <= 0 || percent > 100)
    throw new UsageError(`${quoteText(text)} is not a budget: give a percentage of the time, such as 5%`)
  return percent / 100
}

const smallestBufferBytes = 4096
/** The verifier lets no program reach further into memory (BPF_MAX_VAR_OFF). */
const largestBufferBytes = 512 * 1024 ** 2

export function parseBufferSize(text: string): number {
  const bytes = parseSize(text)
  if (bytes < smallestBufferBytes || bytes > largestBufferBytes) {
    throw new UsageError(`${quoteText(text)} is out of range: give a size from 4K to 512M`)
  }
  return 2 ** Math.ceil(Math.log2(bytes))
}

export function notEmpty(text: string, what: string): string {
  if (text === '') throw new UsageError(`the argument is empty: give ${what}`)
  return text
}
